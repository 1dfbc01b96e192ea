import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RestoreSummary, restoreSnapshot } from '../../engine/src/archive/restore/restore.ts';
import { openLocal } from '../../engine/src/backend/local/local.ts';
import { systemClock } from '../../engine/src/kernel/clock.ts';
import { openRepository } from '../../engine/src/repository/open.ts';
import { restic } from '../servers/restic.ts';
import { testWith } from '../servers/test-with.ts';
import { escapeBytes, type ListedEntry, listTree } from './tree-listing.ts';

const execute = promisify(execFile);
const golden = fileURLToPath(new URL('../fixtures/golden', import.meta.url));
const withRestic = testWith(restic);

/** Owners and devices are root's business; everybody else gets the rest. */
const isRoot = process.geteuid?.() === 0;

let scratch: string;

beforeAll(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), 'holdfast-golden-'));
  for (const name of ['r019-v1', 'r019-v2', 'r019-v2-max', 'r014-v2', 'ru011']) {
    await execute('tar', ['-xzf', path.join(golden, `${name}.tar.gz`), '-C', scratch]);
  }
});

afterAll(async () => {
  await rm(scratch, { recursive: true, force: true });
});

const snapshots: readonly (readonly [repository: string, snapshot: number, tree: string])[] = [
  ['r019-v1', 0, 'tree-1.txt'],
  ['r019-v1', 1, 'tree-2.txt'],
  ['r019-v2', 0, 'tree-1.txt'],
  ['r019-v2', 1, 'tree-2.txt'],
  ['r019-v2-max', 0, 'tree-1.txt'],
  ['r014-v2', 0, 'tree-1.txt'],
  ['ru011', 0, 'tree-1.txt'],
];

async function restore(name: string, snapshot: number, target: string): Promise<RestoreSummary> {
  const backend = await openLocal({ path: path.join(scratch, name) });
  const repository = await openRepository(backend, 'golden');
  const found = (await repository.loadSnapshots())[snapshot];
  if (found === undefined) throw new Error(`${name} has no snapshot number ${snapshot}`);
  return await restoreSnapshot(
    await repository.loadIndex(),
    { tree: found.tree },
    { clock: systemClock, target, verify: true, workers: 2 },
  );
}

test.for(snapshots)('%s, snapshot %i, comes back exactly as %s says', async ([name, snapshot, tree]) => {
  const target = await mkdtemp(path.join(scratch, 'target-'));
  const summary = await restore(name, snapshot, target);
  expect(summary.counts.problems).toBe(0);
  expect(summary.counts.filesVerified).toBe(summary.counts.filesExpected);
  if (isRoot) expect(summary.notKept).toEqual([]);

  // rustic keeps no time of the directory that it was given.
  const isKnown = (line: string) => name !== 'ru011' || !line.startsWith('.|');
  const wanted = parseListing(await readFile(path.join(golden, tree)));
  const found = listTree(path.join(target, 'src'));
  expect(found.filter(isComparable).map(lineOf).filter(isKnown)).toEqual(wanted.lines.filter(isKnown));
  expect(
    new Map(found.flatMap(({ path, sha256 }) => (sha256 === undefined ? [] : [[path, sha256]]))),
  ).toEqual(wanted.hashes);
});

withRestic.for(snapshots.map(([name, snapshot]) => [name, snapshot] as const))(
  '%s, snapshot %i, comes back as stock restic restores it, attributes included',
  async ([name, snapshot], { server }) => {
    const ours = await mkdtemp(path.join(scratch, 'ours-'));
    const theirs = await mkdtemp(path.join(scratch, 'theirs-'));
    await restore(name, snapshot, ours);
    const run = async (...args: readonly string[]) =>
      await execute(server.path, ['--repo', path.join(scratch, name), '--no-cache', ...args], {
        env: { ...process.env, RESTIC_PASSWORD: 'golden' },
      });
    const { stdout } = await run('snapshots', '--json');
    const ids = (JSON.parse(stdout) as { id: string; time: string }[])
      .sort((a, b) => Date.parse(a.time) - Date.parse(b.time))
      .map(({ id }) => id);
    await run('restore', ids[snapshot] as string, '--target', theirs);
    // Where the snapshot has no time, restic restores the year 1, and we leave the file system's.
    const known = (entry: ListedEntry) => name !== 'ru011' || entry.path !== '.';
    const list = (root: string) =>
      listTree(path.join(root, 'src'))
        .filter(known)
        .map((entry) => ({ ...entry, mode: keptMode(entry.mode) }));
    expect(list(ours)).toEqual(list(theirs));
  },
);

/** Without its owner a program loses its setuid bit. */
function keptMode(mode: string): string {
  return isRoot ? mode : (Number.parseInt(mode, 8) & 0o777).toString(8);
}

function isComparable({ type }: ListedEntry): boolean {
  return isRoot || type !== 'c';
}

/** `path|type|mode|uid|gid|links|mtime|link target|size`, without what is the file system's own affair. */
function lineOf(entry: ListedEntry): string {
  const owner = isRoot ? [entry.uid, entry.gid] : [];
  const { path, type, mode, links, mtime, linkTarget, size } = entry;
  return [path, type, keptMode(mode), ...owner, links, mtime, linkTarget, size].join('|');
}

/** The two halves of a tree file: lines as above, and what sha256sum wrote. */
function parseListing(file: Buffer): { lines: string[]; hashes: Map<string, string> } {
  const lines: string[] = [];
  const hashes = new Map<string, string>();
  for (const line of file.toString('latin1').split('\n')) {
    const hash = /^(\\?)([0-9a-f]{64}) {2}(.*)$/s.exec(line);
    if (hash !== null) {
      const [, escaped, sha256, name] = hash as unknown as [string, string, string, string];
      const bytes = escaped === '' ? name : name.replaceAll('\\n', '\n').replaceAll('\\\\', '\\');
      hashes.set(escapeBytes(Buffer.from(bytes, 'latin1')), sha256);
    } else if (line !== '') lines.push(...normalize(line));
  }
  return { lines: lines.sort((a, b) => (pathOf(a) < pathOf(b) ? -1 : 1)), hashes };
}

const pathOf = (line: string) => line.split('|', 1)[0] as string;

function normalize(line: string): string[] {
  const [path, type, mode, uid, gid, links, mtime, linkTarget, size] = line.split('|') as string[];
  const entry = {
    path,
    type,
    mode,
    uid: Number(uid),
    gid: Number(gid),
    links: type === 'd' ? 0 : Number(links),
    // find(1) writes ten digits, of which the last is always 0.
    mtime: mtime?.slice(0, -1),
    linkTarget,
    size: type === 'd' ? 0 : Number(size),
  } as ListedEntry;
  return isComparable(entry) ? [lineOf(entry)] : [];
}
