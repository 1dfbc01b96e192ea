import { backUpBase } from '../../app/src/sources/postgres/base/base-backup.ts';
import { parseServerUrl, serverAddress } from '../../app/src/sources/postgres/connection/server-address.ts';
import { openLocal } from '../../engine/src/backend/local/local.ts';
import { systemClock } from '../../engine/src/kernel/clock.ts';
import { openRepository } from '../../engine/src/repository/open.ts';
import { PASSWORD } from '../scenes/backup-scene.ts';

/** A process of its own that takes one base, so that its memory can be measured: `take-base.ts <url> <repository>`. */
const [url = '', place = ''] = process.argv.slice(2);
const repository = await openRepository(await openLocal({ path: place }), PASSWORD);
const { record } = await backUpBase(repository, {
  address: serverAddress(parseServerUrl(url)),
  clock: systemClock,
  // What is measured is the way of the bytes, not the compressor's patience.
  compression: 'off',
  labels: {
    hostname: 'scene',
    username: 'somebody',
    uid: 0,
    gid: 0,
    tags: [],
    time: new Date().toISOString(),
    programVersion: 'holdfast test',
  },
});
/** Kilobytes (getrusage). */
const { maxRSS } = process.resourceUsage();
process.stdout.write(JSON.stringify({ pages: record.pagesVerified, peak: maxRSS * 1024 }));
