import { constants } from 'node:os';
import { cString, type SystemCall, type SystemLibrary } from './library.ts';

/**
 * Names and numbers of users and groups, as the whole system knows them (files, LDAP, sssd, …). Every answer is kept
 * for as long as this object: a directory service that is slow or down is asked once, not for every file.
 */
export interface Accounts {
  /** '' when unknown. */
  userName(uid: number): string;
  groupName(gid: number): string;
  userId(name: string): number | undefined;
  groupId(name: string): number | undefined;
}

interface Account {
  readonly name: string;
  readonly id: number;
}

type Find = (key: number | Buffer) => Account | undefined;

export function openAccounts(library: SystemLibrary): Accounts {
  const rest = 'void *record, void *strings, size_t size, void *result';
  const userById = finder(library, library.bind(`int getpwuid_r(uint32_t id, ${rest})`));
  const groupById = finder(library, library.bind(`int getgrgid_r(uint32_t id, ${rest})`));
  const userByName = finder(library, library.bind(`int getpwnam_r(const void *name, ${rest})`));
  const groupByName = finder(library, library.bind(`int getgrnam_r(const void *name, ${rest})`));
  return {
    userName: remembered((uid: number) => userById(uid)?.name ?? ''),
    groupName: remembered((gid: number) => groupById(gid)?.name ?? ''),
    userId: remembered((name: string) => byName(userByName, name)),
    groupId: remembered((name: string) => byName(groupByName, name)),
  };
}

/** A name with a NUL, from a damaged repository, is nobody's. */
function byName(find: Find, name: string): number | undefined {
  return name.includes('\0') ? undefined : find(cString(Buffer.from(name)))?.id;
}

/** Groups of a large company list all their members in one record. */
const LARGEST_RECORD = 16 << 20;

/**
 * The record is a `struct passwd` or `struct group`; both begin, on Linux (glibc and musl) and macOS alike, with
 *
 *     0  char *name      8  char *password      16  uint32 id
 *
 * and none is larger than 72 bytes. The strings lie in a buffer of ours, of which we can't know the size needed.
 */
function finder(library: SystemLibrary, call: SystemCall): Find {
  const record = Buffer.alloc(128);
  const result = Buffer.alloc(8);
  let strings = Buffer.alloc(4096);
  return (key) => {
    // These calls return the errno; it is 0 with an empty result, or one of several, where there is no such account.
    while (call(key, record, strings, strings.length, result) === constants.errno.ERANGE) {
      if (strings.length >= LARGEST_RECORD) return undefined;
      strings = Buffer.alloc(strings.length * 4);
    }
    if (result.readBigUInt64LE(0) === 0n) return undefined;
    return { name: library.stringAt(record.readBigUInt64LE(0)), id: record.readUInt32LE(16) };
  };
}

function remembered<Key, Value>(find: (key: Key) => Value): (key: Key) => Value {
  const known = new Map<Key, Value>();
  return (key) => {
    const value = known.get(key);
    if (value !== undefined || known.has(key)) return value as Value;
    const found = find(key);
    known.set(key, found);
    return found;
  };
}
