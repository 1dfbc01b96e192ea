/** Receives the WAL of argv[2] into the spool argv[3] until it is killed; says "streaming" whenever a stream begins. */

import { Spool } from '../../app/src/journal/spool.ts';
import { parseServerUrl, serverAddress } from '../../app/src/sources/postgres/connection/server-address.ts';
import { inspectServer, receiveWal } from '../../app/src/sources/postgres/journal/receiver.ts';
import { systemClock } from '../../engine/src/kernel/clock.ts';

const [url = '', directory = ''] = process.argv.slice(2);
const address = serverAddress(parseServerUrl(url));
const { signal } = new AbortController();
const server = await inspectServer(address, signal);
await using spool = await Spool.open({ directory, owner: { source: 'postgres', identity: server.systemId } });
await receiveWal({
  findServer: async () => address,
  slot: 'holdfast',
  spool,
  server,
  clock: systemClock,
  random: Math.random,
  lowSpace: 0,
  signal,
  onEvent: ({ kind }) => {
    if (kind === 'streaming') process.stdout.write('streaming\n');
  },
});
