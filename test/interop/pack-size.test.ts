import { execFile } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect } from 'vitest';
import { noise } from '../../engine/src/testing/backend-suite.ts';
import { filesBySize } from '../scenes/files-by-size.ts';
import { treeFacts } from '../scenes/tree-facts.ts';
import { restic } from '../servers/restic.ts';
import { testWith } from '../servers/test-with.ts';
import { commandLine } from '../stories/command-line.ts';

/* Everything that writes packs, each with a size of its own. Every test goes on where the one before it ended. */

const execute = promisify(execFile);
const withRestic = testWith(restic);
const PASSWORD = 'secret';
const MIB = 1024 * 1024;
/** A pack is finished by the blob that fills it. */
const LARGEST_BLOB = 9 * MIB;

const machine = commandLine({ HOLDFAST_PASSWORD: PASSWORD });
afterAll(() => machine[Symbol.dispose]());
const at = (...parts: string[]) => path.join(machine.directory, ...parts);

async function run(words: string, environment: Record<string, string> = {}): Promise<void> {
  const { exitCode, stderr } = await machine.run(words.split(' '), { environment });
  expect([exitCode, stderr]).toEqual([0, '']);
}

/** Without what was left over when the work was done: trees, and one pack for each thread. */
function fullPacks(repository: string, atLeast: number): { path: string; size: number }[] {
  return filesBySize(at(repository, 'data')).filter(({ size }) => size >= atLeast);
}

async function expectResticReads(program: { readonly path: string }, repository: string): Promise<void> {
  const env = { ...process.env, RESTIC_PASSWORD: PASSWORD };
  const options = ['--repo', at(repository), '--no-cache'];
  await execute(program.path, [...options, 'check', '--read-data'], { env });
  rmSync(at('restored'), { recursive: true, force: true });
  await execute(program.path, [...options, 'restore', 'latest', '--target', at('restored')], { env });
  expect(treeFacts(at('restored', 'home'))).toEqual(treeFacts(at('home')));
}

withRestic('a backup gathers as much in a pack as the variable says', async ({ server }) => {
  mkdirSync(at('home'));
  for (let nth = 0; nth < 24; nth += 1) writeFileSync(at('home', `${nth}`), noise(2 * MIB, nth));
  await run('repo init --repo main');
  await run(`files backup --repo main --read-concurrency 1 ${'home'}`, { RESTIC_PACK_SIZE: '32' });
  const [largest] = fullPacks('main', 32 * MIB);
  expect(largest?.size).toBeLessThan(32 * MIB + LARGEST_BLOB);
  expect(filesBySize(at('main', 'data')).length).toBeLessThanOrEqual(3);
  await expectResticReads(server, 'main');
});

withRestic('a copy, as much as the option says', async ({ server }) => {
  await run('repo init --repo copy --from-repo main --copy-chunker-params', {
    HOLDFAST_FROM_PASSWORD: PASSWORD,
  });
  await run('repo copy --repo copy --from-repo main --pack-size 4', {
    HOLDFAST_FROM_PASSWORD: PASSWORD,
    HOLDFAST_PACK_SIZE: '64',
  });
  const packs = fullPacks('copy', 4 * MIB);
  expect(packs.length).toBeGreaterThanOrEqual(6);
  for (const { size } of packs) expect(size).toBeLessThan(4 * MIB + LARGEST_BLOB);
  await expectResticReads(server, 'copy');
});

withRestic('a repair too', async ({ server }) => {
  const [largest] = fullPacks('main', 32 * MIB);
  rmSync(largest?.path ?? '');
  await run('repo repair --repo main --from copy', { HOLDFAST_PACK_SIZE: '4' });
  const packs = fullPacks('main', 4 * MIB);
  expect(packs.filter(({ size }) => size < 4 * MIB + LARGEST_BLOB).length).toBeGreaterThanOrEqual(3);
  await expectResticReads(server, 'main');
});

withRestic('and a prune, which joins packs that are far smaller', async ({ server }) => {
  const before = filesBySize(at('copy', 'data')).length;
  await run('repo prune --repo copy --pack-size 64 --instant-delete');
  const [largest, ...others] = filesBySize(at('copy', 'data'));
  expect(largest?.size).toBeGreaterThan(4 * MIB + LARGEST_BLOB);
  expect(others.length).toBeLessThan(before / 2);
  await expectResticReads(server, 'copy');
});
