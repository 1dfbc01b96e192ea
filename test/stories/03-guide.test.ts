import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const directory = mkdtempSync(path.join(tmpdir(), 'holdfast guide '));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test('who types the blocks of the guide to files one after another gets through', () => {
  const page = readFileSync(path.join(root, 'docs', 'guide', 'files.md'), 'utf8');
  const blocks = [...page.matchAll(/^```sh\n(.*?)^```$/gms)].map((match) => match[1]);
  expect(blocks.length).toBeGreaterThan(8);
  const script = ['set -eu', 'holdfast() { "$HOLDFAST" "$@"; }', ...blocks].join('\n');
  const printed = execFileSync('sh', ['-c', script], {
    cwd: directory,
    env: { PATH: process.env.PATH, HOME: directory, HOLDFAST: path.join(root, 'holdfast') },
    encoding: 'utf8',
  });
  expect(printed).toContain('CREATE TABLE orders;');
  expect(printed).toContain('Deletes 1 entry');
  expect(printed).toContain('letters/draft.tmp');
  expect(printed).toContain('No errors in 2 snapshots ');
  expect(readFileSync(path.join(directory, 'practice/home/letters/first.txt'), 'utf8')).toBe('Dear reader\n');
});
