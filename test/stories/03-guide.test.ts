import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const directory = mkdtempSync(path.join(tmpdir(), 'holdfast guide '));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Types the blocks of a page one after another; answers what was printed. */
function follow(name: string): string {
  const page = readFileSync(path.join(root, 'docs', 'guide', name), 'utf8');
  const blocks = [...page.matchAll(/^```sh\n(.*?)^```$/gms)].map((match) => match[1]);
  expect(blocks.length).toBeGreaterThan(6);
  const script = ['set -eu', 'holdfast() { "$HOLDFAST" "$@"; }', ...blocks].join('\n');
  return execFileSync('sh', ['-c', script], {
    cwd: directory,
    env: { PATH: process.env.PATH, HOME: directory, HOLDFAST: path.join(root, 'holdfast') },
    encoding: 'utf8',
  });
}

test('who types the blocks of the guide to files one after another gets through', () => {
  const printed = follow('files.md');
  expect(printed).toContain('CREATE TABLE orders;');
  expect(printed).toContain('Deletes 1 entry');
  expect(printed).toContain('letters/draft.tmp');
  expect(printed).toContain('No errors in 1 snapshot ');
  expect(readFileSync(path.join(directory, 'practice/home/letters/first.txt'), 'utf8')).toBe('Dear reader\n');
});

test('who types the blocks of the guide to repairs breaks a repository five times and mends it', () => {
  const printed = follow('repair.md');
  expect(printed).toContain('something is damaged');
  expect(printed).toContain('that no file names: added');
  expect(printed).toMatch(/lost pieces from .*copy/);
  expect(printed).toContain('from the original files');
  expect(printed).toContain('not all of it came back');
  expect(printed).toMatch(/point [0-9a-f]{8} loses 1 entry/);
  expect(printed).toContain('Restored 5 files');
  expect(printed).toContain('Made 1 point without what is lost');
  expect(printed.match(/No errors in 1 snapshot/g)).toHaveLength(4);
});
