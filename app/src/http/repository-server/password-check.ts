import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { type Clock, Failure } from '@holdfast/engine';
import { compare } from 'bcryptjs';
import { isBcrypt, parseHtpasswd } from './htpasswd.ts';
import { Refusal } from './refusal.ts';

/** Whether a user's password is right. Rejects with a `Refusal` when too many are waiting to be told. */
export type PasswordCheck = (user: string, password: string) => Promise<boolean>;

/**
 * Passwords from an htpasswd file, which is read again as soon as it changes. While it cannot be read or understood
 * nobody gets in. bcrypt is slow on purpose, so what was right is remembered for a minute, as a keyed hash and bound to
 * what is stored; what was wrong is not, and few are tried at once. A name that is unknown takes as long as a password
 * that is wrong.
 */
export async function passwordCheck(path: string, clock: Clock): Promise<PasswordCheck> {
  const key = randomBytes(32);
  const right = new Map<string, number>();
  let file = await readUsers(path);
  let trying = 0;

  async function current(): Promise<ReadonlyMap<string, string>> {
    if ((await stampOf(path)) !== file.stamp) file = await readUsers(path);
    return file.users;
  }

  function remember(proof: string): void {
    if (right.size >= MOST_REMEMBERED) right.clear();
    right.set(proof, clock.now() + REMEMBERED_MS);
  }

  return async (user, password) => {
    const users = await current();
    const stored = users.get(user) ?? strangerLike(users);
    const proof = createHmac('sha256', key)
      .update(JSON.stringify([user, password, stored]))
      .digest('hex');
    if ((right.get(proof) ?? 0) > clock.now()) return true;
    if (trying >= MOST_TRIES) throw new Refusal(BUSY, 'Too many logins at once.', { 'Retry-After': '1' });
    trying += 1;
    try {
      const matches = await isRight(password, stored);
      if (!matches || !users.has(user)) return false;
      remember(proof);
      return true;
    } finally {
      trying -= 1;
    }
  };
}

async function isRight(password: string, stored: string): Promise<boolean> {
  if (isBcrypt(stored)) return await compare(password, stored);
  const given = createHash('sha1').update(password).digest();
  return timingSafeEqual(given, Buffer.from(stored.slice('{SHA}'.length), 'base64'));
}

/** Somebody's hash, for the time that it takes: its result does not count. */
function strangerLike(users: ReadonlyMap<string, string>): string {
  const [stored = ''] = users.values();
  return stored;
}

interface UserFile {
  readonly users: ReadonlyMap<string, string>;
  readonly stamp: string;
}

async function readUsers(path: string): Promise<UserFile> {
  const stamp = await stampOf(path);
  try {
    return { users: parseHtpasswd(await readFile(path, 'utf8'), path), stamp };
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw unreadable(path, error);
  }
}

async function stampOf(path: string): Promise<string> {
  try {
    const { mtimeNs, size, ino } = await stat(path, { bigint: true });
    return `${ino} ${size} ${mtimeNs}`;
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, cause: unknown): Failure {
  const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
  return new Failure('usage', `the password file cannot be read: ${code}`, { subject: path, cause });
}

const REMEMBERED_MS = 60_000;
const MOST_REMEMBERED = 1000;
const MOST_TRIES = 16;
const BUSY = 503;
