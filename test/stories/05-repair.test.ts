import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { copyDirectory, filesIn, garble, growTree, packFiles } from '../scenes/half-destroyed.ts';
import { treeFacts } from '../scenes/tree-facts.ts';
import { commandLine, type Said } from './command-line.ts';

/*
 * A repository half destroyed, and what becomes of it: with a copy, with only the original files, with nothing. Each
 * test goes on where the one before it ended.
 */
const PASSWORD = 'the only secret word';
const machine = commandLine({ HOLDFAST_REPOSITORY: 'repository', HOLDFAST_PASSWORD_FILE: 'the.key' });
afterAll(() => machine[Symbol.dispose]());

const at = (...parts: string[]) => path.join(machine.directory, ...parts);
const home = at('home');
const repository = at('repository');
const saved: Record<string, string>[] = [];
const points: string[] = [];

async function run(...words: string[]): Promise<Said> {
  return await machine.run(words);
}

/** Restores a point into a place of its own; answers what came back and what was said. */
async function restored(
  point: string,
  ...more: string[]
): Promise<{ facts: Record<string, string>; said: Said }> {
  const target = at('restored');
  rmSync(target, { recursive: true, force: true });
  const said = await run('files', 'restore', point, '--target', target, '--json', ...more);
  return { facts: treeFacts(path.join(target, 'home')), said };
}

async function expectAllPointsWhole(): Promise<void> {
  for (const [generation, point] of points.entries()) {
    const { facts, said } = await restored(point);
    expect(said.exitCode).toBe(0);
    expect(facts).toEqual(saved[generation]);
  }
}

/** The paths of files that are not what they were. */
function differing(was: Record<string, string>, is: Record<string, string>): string[] {
  return Object.keys(was)
    .filter((key) => was[key] !== is[key])
    .map((key) => `/home${key}`)
    .sort();
}

function pathsOf(said: Said, type: string): string[] {
  return said
    .lines()
    .filter((line) => line.type === type)
    .map((line) => line.path as string)
    .sort();
}

test('a company saves its files three times, and keeps a copy of the repository', async () => {
  writeFileSync(at('the.key'), `${PASSWORD}\n`);
  mkdirSync(home);
  expect((await run('repo', 'init')).exitCode).toBe(0);
  for (const generation of [1, 2, 3]) {
    growTree(home, generation);
    saved.push(treeFacts(home));
    const { exitCode, lines } = await run('files', 'backup', 'home', '--pack-size', '4', '--json');
    expect(exitCode).toBe(0);
    points.push(lines().find((line) => line.type === 'summary')?.snapshot as string);
  }
  expect(Object.keys(saved[2] ?? {}).length).toBeGreaterThan(3_000);
  copyDirectory(repository, at('copy'));
});

test('half of its packs and two of its index files are destroyed, and check says what that costs', async () => {
  const { data, tree } = await packFiles(repository, PASSWORD);
  expect(data.length + tree.length).toBeGreaterThan(10);
  for (const [number, file] of [...data, ...tree].entries()) {
    if (number % 4 === 0) rmSync(file);
    if (number % 4 === 2) garble(file);
  }
  const [first = '', second = ''] = filesIn(path.join(repository, 'index'));
  rmSync(first);
  garble(second);
  const { exitCode, stdout } = await run('repo', 'check', '--read-data');
  expect(exitCode).toBe(1);
  expect(stdout).toContain('holdfast repo repair');
  expect(stdout).toContain('index.damaged');
  expect(stdout).toContain('blob.missing');
});

test('a dry run of the repair says what would be done and does nothing', async () => {
  const { exitCode, lines } = await run(
    'repo',
    'repair',
    '--from',
    'copy',
    '--read-data',
    '--dry-run',
    '--json',
  );
  expect(exitCode).toBe(0);
  expect(lines().at(-1)).toMatchObject({ type: 'plan', idle: false, blobs: { lost: [] } });
  expect((await run('repo', 'check')).exitCode).toBe(1);
});

test('the repair from the copy brings everything back: every file of every point, counted and compared', async () => {
  const { exitCode, stdout } = await run('repo', 'repair', '--from', 'copy', '--read-data');
  expect(exitCode).toBe(0);
  expect(stdout).toContain(`lost pieces from ${at('copy')}`);
  expect((await run('repo', 'check', '--read-data')).stdout).toContain('No errors in 3 snapshots');
  await expectAllPointsWhole();
});

test('without a copy, the original files bring back all that they still hold', async () => {
  copyDirectory(at('copy'), repository);
  for (const file of (await packFiles(repository, PASSWORD)).data) rmSync(file);
  const { exitCode, stdout } = await run('repo', 'repair', '--from-files');
  expect(stdout).toContain('lost pieces from the original files');
  // What was in the database's file when it was saved, and has been written over since, nobody has.
  expect(exitCode).toBe(1);
  expect(stdout).toContain('home/database/16384');
  expect(stdout).not.toContain('.txt');
  const { facts, said } = await restored('latest');
  expect(said.exitCode).toBe(0);
  expect(facts).toEqual(saved[2]);
});

test('and points without the rest are made, which check finds whole', async () => {
  const { exitCode, lines } = await run('repo', 'repair', 'snapshots', '--forget', '--json');
  expect(exitCode).toBe(0);
  const lost = lines().filter((line) => line.type === 'lost');
  expect(lost.map(({ point, path: where }) => [point, where])).toEqual([
    [points[0], '/home/database/16384'],
    [points[1], '/home/database/16384'],
  ]);
  expect((await run('repo', 'check', '--read-data')).exitCode).toBe(0);
  const list = (await run('points', '--json')).lines();
  expect(list.filter(({ tags }) => (tags as string[] | undefined)?.includes('repaired'))).toHaveLength(2);
});

test('with nothing to repair from, a restore brings back what is there and tells exactly what is not', async () => {
  copyDirectory(at('copy'), repository);
  const { data } = await packFiles(repository, PASSWORD);
  const [first = '', second = ''] = data;
  rmSync(first);
  garble(second);
  const { facts, said } = await restored('latest', '--salvage');
  expect(said.exitCode).toBe(3);
  const summary = said.lines().find((line) => line.type === 'summary') as {
    readonly failed: { readonly path: string }[];
    readonly incomplete: { readonly path: string }[];
  };
  const told = [...summary.failed, ...summary.incomplete].map((problem) => problem.path).sort();
  expect(told.length).toBeGreaterThan(0);
  expect(told).toEqual(differing(saved[2] ?? {}, facts));
});

test('and a repair makes points of it, which lack exactly what it lists', async () => {
  expect((await run('repo', 'repair', 'packs')).exitCode).toBe(1);
  const made = await run('repo', 'repair', 'snapshots', '--json');
  expect(made.exitCode).toBe(0);
  const { repaired } = made.lines().at(-1) as {
    readonly repaired: { readonly from: string; readonly to: string }[];
  };
  const newest = repaired.find(({ from }) => from === points[2]);
  const { facts, said } = await restored(newest?.to ?? '');
  expect(said.exitCode).toBe(0);
  const told = made.lines().filter((line) => line.type === 'lost' && line.point === points[2]);
  const missing = differing(saved[2] ?? {}, facts);
  expect(told.map((line) => line.path).sort()).toEqual(missing);
  expect(missing.every((where) => !(where.slice('/home'.length) in facts))).toBe(true);
  expect(pathsOf(made, 'lost').length).toBeGreaterThanOrEqual(missing.length);
});
