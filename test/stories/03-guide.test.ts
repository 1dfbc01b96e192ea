import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const directory = mkdtempSync(path.join(tmpdir(), 'holdfast guide '));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Types all blocks of a guide into a shell, in a directory of their own; answers what they print. */
function followed(guide: string, home: string): string {
  const page = readFileSync(path.join(root, 'docs', 'guide', guide), 'utf8');
  const blocks = [...page.matchAll(/^```sh\n(.*?)^```$/gms)].map((match) => match[1]);
  expect(blocks.length).toBeGreaterThan(4);
  const script = ['set -eu', 'holdfast() { "$HOLDFAST" "$@"; }', ...blocks].join('\n');
  mkdirSync(home);
  return execFileSync('sh', ['-c', script], {
    cwd: home,
    env: { PATH: process.env.PATH, HOME: home, HOLDFAST: path.join(root, 'holdfast') },
    encoding: 'utf8',
  });
}

test('who types the blocks of the guide to files one after another gets through', () => {
  const home = path.join(directory, 'files');
  const printed = followed('files.md', home);
  expect(printed).toContain('CREATE TABLE orders;');
  expect(printed).toContain('Deletes 1 entry');
  expect(printed).toContain('letters/draft.tmp');
  expect(printed).toContain('No errors in 1 snapshot ');
  expect(readFileSync(path.join(home, 'practice/home/letters/first.txt'), 'utf8')).toBe('Dear reader\n');
});

test('who types the blocks of the guide to copies has two repositories with the same in them', () => {
  const printed = followed('copy.md', path.join(directory, 'copy'));
  expect(printed).toContain('Would copy 1 snapshot');
  expect(printed.match(/Copied 1 snapshot/g)).toHaveLength(2);
  expect(printed).toContain('read back');
  expect(printed).not.toContain('cut files differently');
  expect(printed).toContain('No errors in 2 snapshots');
  expect(printed).toContain('Dear reader, once more');
});
