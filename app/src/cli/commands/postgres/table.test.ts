import { describe, expect, test } from 'vitest';
import { allCommands } from '../../../testing/all-commands.ts';
import { recordedContext } from '../../../testing/context.ts';
import { idOf } from '../../../testing/snapshots.ts';
import { runProgram } from '../../program.ts';
import type { PlannedTable, PlanTableRestore, TableRestorePlan } from './table.ts';

const plan = (...tables: PlannedTable[]): TableRestorePlan => ({
  target: 'postgres://admin@db-1:5432/shop',
  asked: '2026-11-21T10:44:07Z',
  inclusive: true,
  server: 'postgres://backup@db-1:5432/postgres',
  systemId: '7710643085183465631',
  base: { snapshot: idOf('base'), endedAt: '2026-11-21T10:00:04Z' },
  lastCommit: '2026-11-21T10:44:06.998Z',
  lsn: '0/3030078',
  tables,
  findings: [
    { severity: 'warning', code: 'table.view', subject: 'shop.orders', message: 'the view is gone' },
  ],
  took: { restore: 1200, recovery: 300, look: 20 },
  token: '1a2b3c4d5e6f',
});

const orders = { from: 'shop.orders', to: 'shop.orders', rows: 1000, bytes: 90_112 } as const;

async function run(words: readonly string[], ...tables: PlannedTable[]) {
  const done: string[] = [];
  const planTableRestore: PlanTableRestore = async () => ({
    plan: plan(...tables),
    execute: async () => {
      done.push('brought');
      return {
        tables: tables.map((table) => ({ ...table, inserted: 1000, counted: 1000, milliseconds: 200 })),
        findings: [],
        milliseconds: 250,
      };
    },
    [Symbol.asyncDispose]: async () => {
      done.push('gone');
    },
  });
  const context = recordedContext({
    environment: { HOLDFAST_REPOSITORY: '/srv/backup', HOLDFAST_PASSWORD: 'correct horse' },
  });
  const registrations = allCommands({ planTableRestore });
  const exitCode = await runProgram(['postgres', 'table', ...words], context, {
    version: '1',
    registrations,
  });
  return { exitCode, done, ...context.written };
}

describe('what contradicts itself is refused before anything is looked at', () => {
  test.each([
    [['--to', 'latest'], 'which tables'],
    [['orders'], '--to'],
    [['orders', '--to', 'latest', '--replace', '--only-missing'], 'contradict'],
    [['orders', '--to', 'latest', '--as', 'x', '--replace'], 'beside'],
    [['orders', '--to', 'latest', '--consent', '1a2b'], '--replace'],
  ])('%j', async (words, told) => {
    const { exitCode, stderr, done } = await run(words);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(told);
    expect(done).toEqual([]);
  });
});

test('a table that is gone comes back without a question', async () => {
  const { exitCode, stdout, done } = await run(['orders', '--to', 'latest'], { ...orders, action: 'create' });
  expect(exitCode).toBe(0);
  expect(done).toEqual(['brought', 'gone']);
  expect(stdout).toContain('  make     shop.orders: 1,000 rows, 90.1 kB');
  expect(stdout).toContain('▲ shop.orders: the view is gone');
  expect(stdout).toContain('✔ shop.orders: 1,000 rows back and counted there in 0.2 s');
});

test('rows of today are only replaced with consent to exactly that', async () => {
  const replaced = { ...orders, action: 'replace', rowsNow: 12 } as const;
  const words = ['orders', '--to', 'latest', '--replace'];
  const looked = await run([...words, '--dry-run'], replaced);
  expect(looked.stdout).toContain('To agree to exactly this: --consent 1a2b3c4d5e6f');
  expect(looked.done).toEqual(['gone']);
  const refused = await run(words, replaced);
  expect(refused.exitCode).toBe(2);
  expect(refused.stderr).toContain('12 rows of shop.orders would go');
  expect(refused.done).toEqual(['gone']);
  expect((await run([...words, '--consent', '1a2b3c4d5e6f'], replaced)).done).toEqual(['brought', 'gone']);
});

test('help fits a page', async () => {
  const { exitCode, stdout } = await run(['--help']);
  expect(exitCode).toBe(0);
  expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(110);
});
