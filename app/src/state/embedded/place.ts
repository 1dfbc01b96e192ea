import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, open, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Failure } from '@holdfast/engine';
import { type Account, serviceAccount } from '../../sources/postgres/restore/service-account.ts';

/** Where our own server lives below the state directory, and who runs it. */
export interface Place {
  readonly stateDirectory: string;
  /** Nobody but the server's user enters it: data, socket, log. */
  readonly home: string;
  readonly dataDirectory: string;
  readonly logFile: string;
  /** Undefined: we do. */
  readonly account: Account | undefined;
  readonly password: string;
}

/** Makes what is not there yet. As root the directory must be one that the server's user can pass through. */
export async function preparePlace(stateDirectory: string): Promise<Place> {
  const service = await serviceAccount();
  if (service === undefined) {
    throw new Failure(
      'state.unsupported',
      'PostgreSQL does not run as root, and there is no user nobody here',
      {
        hint: 'Make a user "holdfast" that it can run as, start Holdfast as an ordinary user, or set DATABASE_URL.',
      },
    );
  }
  const account = service === 'ourselves' ? undefined : service;
  await mkdir(stateDirectory, { recursive: true, mode: account === undefined ? 0o700 : 0o755 });
  if (account !== undefined) await assertPassable(stateDirectory, account);
  const home = join(stateDirectory, 'database');
  assertSocketName(home);
  await mkdir(home, { recursive: true, mode: 0o700 });
  await chmod(home, 0o700);
  if (account !== undefined) await chown(home, account.uid, account.gid);
  return {
    stateDirectory,
    home,
    dataDirectory: join(home, 'data'),
    logFile: join(home, 'server.log'),
    account,
    password: await keptPassword(join(stateDirectory, 'database.password')),
  };
}

/** Durable before a server is made with it: a data directory whose password is gone cannot be opened by us. */
async function keptPassword(path: string): Promise<string> {
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      const password = randomBytes(32).toString('base64url');
      await file.writeFile(password);
      await file.sync();
      return password;
    } finally {
      await file.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return await readFile(path, 'utf8');
  }
}

async function assertPassable(directory: string, account: Account): Promise<void> {
  const { mode, uid, gid } = await stat(directory);
  const right = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
  if ((mode & right) === 0) {
    throw new Failure('state.unsupported', `user ${account.uid} may not enter ${directory}`, {
      subject: directory,
      hint: 'PostgreSQL does not run as root. Name a state directory that its user can pass through, such as /var/lib/holdfast.',
    });
  }
  if (directory !== dirname(directory)) await assertPassable(dirname(directory), account);
}

/** The kernel keeps the name of a socket in 108 bytes (macOS: 104), a zero at its end among them. */
function assertSocketName(home: string): void {
  if (Buffer.byteLength(join(home, '.s.PGSQL.5432')) < 104) return;
  throw new Failure('state.unsupported', `the name ${home} is too long for a socket in it`, {
    subject: home,
    hint: 'Name a state directory with a shorter path.',
  });
}
