import type { Clock } from '@holdfast/engine';
import {
  parseServerUrl,
  type ServerAddress,
  serverAddress,
} from '../sources/postgres/connection/server-address.ts';
import { Connections } from './connections.ts';
import { PORT, ROLE } from './embedded/cluster.ts';
import { withDirectoryLock } from './embedded/directory-lock.ts';
import { type Place, preparePlace } from './embedded/place.ts';
import { ensureServer, stopServer, type Watch } from './embedded/server.ts';
import { migrate } from './migrate.ts';
import type { Database } from './session.ts';
import { type Leadership, SteadySession } from './steady-session.ts';

export interface StateOptions {
  /** Absolute; made if it is not there. */
  readonly directory: string;
  /** `postgres://…`: a server that is somebody else's. Absent: one of our own below the directory. */
  readonly databaseUrl?: string;
  readonly clock: Clock;
  /** Ends waiting and every connection. Disposing the state works all the same. */
  readonly signal: AbortSignal;
}

/**
 * The control plane's memory. Disposing it stops a server of ours, unless another control plane works with it.
 */
export interface State extends AsyncDisposable {
  readonly database: Database;
  /** Calls `heard` at each notice on a channel, and when some may have been missed. */
  listen(channel: string, heard: () => void): Promise<Disposable>;
  /** Of several control planes on one state, one leads. Undefined: another one does. */
  lead(): Promise<Leadership | undefined>;
}

/** Ready with all tables, whether the server was running, has to be started or to be made first. */
export async function openState(options: StateOptions): Promise<State> {
  const { directory, databaseUrl, clock, signal } = options;
  const connecting = new AbortController();
  const watch: Watch = { clock, signal: AbortSignal.any([signal, connecting.signal]) };
  const place = databaseUrl === undefined ? await preparePlace(directory) : undefined;
  const address = place === undefined ? foreignAddress(databaseUrl ?? '') : ownAddress(place);
  const revive = async () => {
    if (place === undefined) return;
    await withDirectoryLock(directory, watch, () => ensureServer(place, watch));
  };
  const connections = new Connections({ ...watch, address, revive });
  // Connected before the lock goes: from then on nobody who leaves stops the server under us.
  const first = await (place === undefined
    ? connections.connect()
    : withDirectoryLock(directory, watch, async () => {
        const server = await ensureServer(place, watch);
        try {
          return await connections.connect(async () => undefined);
        } catch (error) {
          if (server === 'started') await stopServer(place, stopWatch(clock));
          throw error;
        }
      }));
  const steady = await SteadySession.open(first, () => connections.connect(), watch);
  const close = async () => {
    connecting.abort();
    await steady[Symbol.asyncDispose]();
    await connections[Symbol.asyncDispose]();
    if (place !== undefined) await leave(place, clock);
  };
  try {
    await migrate(connections);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    database: connections,
    listen: (channel, heard) => steady.listen(channel, heard),
    lead: () => steady.lead(),
    [Symbol.asyncDispose]: close,
  };
}

/** Stops the server when nobody but us is connected. */
async function leave(place: Place, clock: Clock): Promise<void> {
  const watch = stopWatch(clock);
  await withDirectoryLock(place.stateDirectory, watch, async () => {
    if (!(await othersConnected(place, watch))) await stopServer(place, watch);
  });
}

/** Connections that we closed a moment ago take another one to go. Of a server that does not say, nobody knows. */
async function othersConnected(place: Place, watch: Watch): Promise<boolean> {
  await using connections = new Connections({
    ...watch,
    address: ownAddress(place),
    revive: () => Promise.reject(new Error('the server is gone')),
  });
  for (let looks = 0; looks < LOOKS; looks += 1) {
    const [row] = await connections
      .query<{ others: number }>(
        `SELECT count(*) AS others FROM pg_stat_activity
         WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`,
      )
      .catch(() => []);
    if (row === undefined) return true;
    if (row.others === 0) return false;
    await watch.clock.sleep(LOOK_EVERY, watch.signal);
  }
  return true;
}

/** Not the signal that ended everything else: stopping takes its time. */
function stopWatch(clock: Clock): Watch {
  return { clock, signal: AbortSignal.timeout(LONGEST_STOP) };
}

function ownAddress({ home, password }: Place): ServerAddress {
  return serverAddress({
    host: home,
    port: String(PORT),
    user: ROLE,
    password,
    dbname: 'postgres',
    application_name: 'holdfast control plane',
  });
}

function foreignAddress(url: string): ServerAddress {
  return serverAddress(parseServerUrl(url), { application_name: 'holdfast control plane' });
}

/** Milliseconds. */
const LONGEST_STOP = 60_000;
const LOOK_EVERY = 20;
const LOOKS = 15;
