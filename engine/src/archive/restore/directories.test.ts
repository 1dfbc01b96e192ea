import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Directories } from './directories.ts';
import { Ledger, TARGET, TARGET_ENTRY } from './ledger.ts';

let scratch: string;
let ledger: Ledger;
let directories: Directories;

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'holdfast-directories-'));
  mkdirSync(join(scratch, 'target', 'a', 'b'), { recursive: true });
  mkdirSync(join(scratch, 'outside', 'b'), { recursive: true });
  ledger = Ledger.create();
  directories = new Directories(ledger, join(scratch, 'target'));
});

afterEach(() => {
  directories.close();
  rmSync(scratch, { recursive: true });
});

const append = (directory: number, name: string) => ledger.append({ ...TARGET_ENTRY, directory, name });

test.runIf(process.platform === 'linux')(
  'a directory that is swapped for a symlink while we work leads nowhere else',
  () => {
    const file = append(append(append(TARGET, 'a'), 'b'), 'file');
    directories.entry(file);
    renameSync(join(scratch, 'target', 'a'), join(scratch, 'target', 'moved'));
    symlinkSync(join(scratch, 'outside'), join(scratch, 'target', 'a'));
    writeFileSync(directories.entry(file), 'mine');
    expect(readdirSync(join(scratch, 'target', 'moved', 'b'))).toEqual(['file']);
    expect(readdirSync(join(scratch, 'outside', 'b'))).toEqual([]);
  },
);

test('a symlink is not entered, at any depth', () => {
  symlinkSync(join(scratch, 'outside'), join(scratch, 'target', 'link'));
  symlinkSync('b', join(scratch, 'target', 'a', 'link'));
  const refused = expect.objectContaining({ code: expect.stringMatching(/^(ENOTDIR|ELOOP)$/) });
  expect(() => directories.inside(append(TARGET, 'link'))).toThrow(refused);
  expect(() => directories.entry(append(append(append(TARGET, 'a'), 'link'), 'x'))).toThrow(refused);
  expect(() => directories.inside(append(append(TARGET, 'link'), 'b'))).toThrow(refused);
});

test('many directories can be used in turn without keeping all of them open', () => {
  const open = () => (process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0);
  const before = open();
  const files = Array.from({ length: 200 }, (_, index) => {
    mkdirSync(join(scratch, 'target', `d${index}`));
    return append(append(TARGET, `d${index}`), 'file');
  });
  for (const file of [...files, ...files]) writeFileSync(directories.entry(file), '');
  expect(open() - before).toBeLessThan(80);
  expect(readdirSync(join(scratch, 'target', 'd199'))).toEqual(['file']);
});
