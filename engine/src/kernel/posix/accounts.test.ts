import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { expect, test } from 'vitest';
import type { Accounts } from './accounts.ts';
import { openPosix } from './posix.ts';

const accounts = openPosix().accounts as Accounts;

test('the user who runs this has the name and the number that Node says', () => {
  const { uid, username } = userInfo();
  expect(accounts.userName(uid)).toBe(username);
  expect(accounts.userId(username)).toBe(uid);
});

test('every group of /etc/group has its name and number', () => {
  const firstNames = new Map<number, string>();
  const firstIds = new Map<string, number>();
  for (const line of readFileSync('/etc/group', 'utf8').split('\n')) {
    const [name, , id] = line.split(':');
    if (name === undefined || id === undefined || name.startsWith('#')) continue;
    if (!firstNames.has(Number(id))) firstNames.set(Number(id), name);
    if (!firstIds.has(name)) firstIds.set(name, Number(id));
  }
  expect(firstNames.size).toBeGreaterThan(1);
  for (const [id, name] of firstNames) expect(accounts.groupName(id)).toBe(name);
  for (const [name, id] of firstIds) expect(accounts.groupId(name)).toBe(id);
});

test('whoever is unknown has an empty name and no number, also when asked again', () => {
  for (let i = 0; i < 2; i++) {
    expect(accounts.userName(3_999_999_999)).toBe('');
    expect(accounts.groupName(3_999_999_999)).toBe('');
    expect(accounts.userId('nobody-has-this-name')).toBeUndefined();
    expect(accounts.groupId('nobody-has-this-name')).toBeUndefined();
  }
});

test('a name with a NUL is not taken for the name before it', () => {
  expect(accounts.userId(`${userInfo().username}\0x`)).toBeUndefined();
});
