import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Id } from '../../kernel/id.ts';
import { type HandmadeRepository, handmadeNode, makeRepository } from '../../testing/handmade-repository.ts';
import { executeDeletion, planDeletion } from './deletion.ts';
import type { RestoreRules } from './selection.ts';

let scratch: string;
let target: string;
let made: HandmadeRepository;
let tree: Id;

beforeEach(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'holdfast-deletion-'));
  target = join(scratch, 'target');
  made = await makeRepository();
  const known = made.tree([handmadeNode({ name: 'file' })]);
  tree = made.tree([
    handmadeNode({ name: 'dir', type: 'dir', subtree: known }),
    handmadeNode({ name: 'link', type: 'dir', subtree: known }),
    handmadeNode({ name: 'lost', type: 'dir', subtree: 'ef'.repeat(32) as Id }),
  ]);
  await made.finish();
  for (const folder of ['dir/extra/deep', 'outside', 'lost'])
    mkdirSync(join(target, folder), { recursive: true });
  mkdirSync(join(scratch, 'elsewhere'));
  for (const name of ['dir/file', 'dir/stranger', 'dir/extra/deep/x', 'dir/extra/keep', 'lost/unknown']) {
    writeFileSync(join(target, name), '');
  }
  writeFileSync(join(scratch, 'elsewhere', 'precious'), '');
  symlinkSync(join(scratch, 'elsewhere'), join(target, 'link'));
  symlinkSync(join(scratch, 'elsewhere'), join(target, 'dir', 'extra', 'link'));
});

afterEach(() => {
  rmSync(scratch, { recursive: true });
});

const plan = async (rules: RestoreRules = {}) =>
  await planDeletion(made.indexed, { tree }, { target, rules });

test('the plan lists what the snapshot does not have, contents before their directory, and touches nothing', async () => {
  const { entries } = await plan();
  expect(entries.map(({ path }) => path).sort()).toEqual([
    '/dir/extra',
    '/dir/extra/deep',
    '/dir/extra/deep/x',
    '/dir/extra/keep',
    '/dir/extra/link',
    '/dir/stranger',
    '/outside',
  ]);
  const paths = entries.map(({ path }) => path);
  expect(paths.indexOf('/dir/extra/deep/x')).toBeLessThan(paths.indexOf('/dir/extra/deep'));
  expect(paths.indexOf('/dir/extra/deep')).toBeLessThan(paths.indexOf('/dir/extra'));
  expect(existsSync(join(target, 'dir', 'stranger'))).toBe(true);
});

test('executing it deletes that, and nothing behind a symlink or in a directory whose tree is damaged', async () => {
  expect(executeDeletion(await plan())).toEqual({ deleted: 7, problems: 0 });
  expect(readdirSync(target).sort()).toEqual(['dir', 'link', 'lost']);
  expect(readdirSync(join(target, 'dir'))).toEqual(['file']);
  expect(readdirSync(join(target, 'lost'))).toEqual(['unknown']);
  expect(readdirSync(join(scratch, 'elsewhere'))).toEqual(['precious']);
});

test('what is excluded stays, with the directories that it lies in', async () => {
  const problems: string[] = [];
  executeDeletion(await plan({ exclude: ['keep'] }), { onProblem: ({ path }) => problems.push(path) });
  expect(readdirSync(join(target, 'dir'), { recursive: true }).sort()).toEqual([
    'extra',
    'extra/keep',
    'file',
  ]);
  expect(problems).toEqual([]);
});

test('what took the place of something planned is left alone', async () => {
  const planned = await plan();
  writeFileSync(join(target, 'dir', 'new'), 'somebody else');
  rmSync(join(target, 'dir', 'stranger'));
  symlinkSync('new', join(target, 'dir', 'stranger'));
  const problems: string[] = [];
  const summary = executeDeletion(planned, { onProblem: ({ path }) => problems.push(path) });
  expect(summary).toEqual({ deleted: 6, problems: 1 });
  expect(problems).toEqual(['/dir/stranger']);
  expect(readdirSync(join(target, 'dir')).sort()).toEqual(['file', 'new', 'stranger']);
});
