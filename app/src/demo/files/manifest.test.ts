import {
  chmodSync,
  cpSync,
  linkSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openPosix } from '@holdfast/engine';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { compareManifests, describeTree } from './manifest.ts';

const posix = openPosix();
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'holdfast-manifest-'));
  writeFileSync(path.join(directory, 'a'), 'content');
  linkSync(path.join(directory, 'a'), path.join(directory, 'b'));
  symlinkSync('a', path.join(directory, 'link'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const inside = (name: string) => path.join(directory, name);

test('a tree is the same as itself', async () => {
  const manifest = await describeTree(directory, posix);
  expect(manifest).toMatchObject({ files: 2, bytes: 14 });
  expect(compareManifests(manifest, await describeTree(directory, posix))).toEqual([]);
});

test.each<[what: string, change: () => void, told: RegExp]>([
  ['a byte', () => writeFileSync(inside('a'), 'Content'), /^\/a: content was/],
  ['the permissions', () => chmodSync(inside('a'), 0o4711), /^\/a: type and permissions was/],
  ['a time', () => utimesSync(inside('a'), 1, 1), /^\/a: modification time was/],
  ['a missing name', () => rmSync(inside('link')), /^\/link: is missing/],
  ['a further name', () => writeFileSync(inside('z'), ''), /^\/z: should not be there/],
  ['a link that points elsewhere', () => relink(inside('link'), 'b'), /^\/link: link target was a, is b/],
  ['two names that are two files', () => separate(inside('b')), /^\/b: number of names was 2, is 1/],
])('%s makes a difference', async (_, change, told) => {
  const before = await describeTree(directory, posix);
  change();
  const differences = compareManifests(before, await describeTree(directory, posix));
  expect(differences).toContainEqual(expect.stringMatching(told));
});

function relink(link: string, target: string): void {
  rmSync(link);
  symlinkSync(target, link);
}

function separate(name: string): void {
  cpSync(name, `${name}.copy`, { preserveTimestamps: true });
  rmSync(name);
  cpSync(`${name}.copy`, name, { preserveTimestamps: true });
}
