import { Failure } from '@holdfast/engine';
import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { recordedContext } from '../../../testing/context.ts';
import type { RebuiltCatalog } from '../../render/rebuilt-catalog.ts';
import { define } from './rebuild.ts';

const MAIN = { name: 'main', points: 31, windows: 1, bytes: 4_200_000, strangers: [] };
const LEDGER = {
  repository: 'main',
  snapshot: '1a'.repeat(32),
  time: Date.parse('2026-11-21T10:44:00Z'),
  runs: 12,
  findings: 1,
};

async function rebuild(rebuilt: RebuiltCatalog, ...words: string[]) {
  const context = recordedContext();
  const program = new Command();
  define(program, context, async () => rebuilt);
  const failure = await program.parseAsync(['rebuild', ...words], { from: 'user' }).then(
    () => undefined,
    (error: unknown) => error,
  );
  return { failure, stdout: context.written.stdout };
}

describe('holdfast catalog rebuild', () => {
  test('says what it has found and where', async () => {
    const offsite = { ...MAIN, name: 'offsite', strangers: ['attic'] };
    const { failure, stdout } = await rebuild({ repositories: [MAIN, offsite], ledger: LEDGER });
    expect(failure).toBeUndefined();
    expect(stdout).toBe(
      [
        '✔ main: 31 points, 1 window, 4.2 MB',
        '✔ offsite: 31 points, 1 window, 4.2 MB',
        '  Of attic there are points; the policy has no such source.',
        '✔ 12 runs and 1 finding from the ledger of 21 Nov 2026 10:44 +00:00 in main',
        '',
      ].join('\n'),
    );
  });

  test('fails when a repository cannot be read, after it has shown all', async () => {
    const lost = { name: 'offsite', failure: new Failure('repository.missing', 'nothing is there') };
    const { failure, stdout } = await rebuild({ repositories: [MAIN, lost], ledger: LEDGER }, '--quiet');
    expect(failure).toMatchObject({ code: 'incomplete', message: 'offsite could not be read' });
    expect(stdout).toContain('✔ main');
    expect(stdout).toContain('✖ offsite: nothing is there\n  What was remembered of it stays as it was.');
  });

  test('says so when no repository holds a ledger', async () => {
    const { stdout } = await rebuild({ repositories: [MAIN] });
    expect(stdout).toContain('No ledger was found');
  });

  test('gives programs a line for each', async () => {
    const { stdout } = await rebuild({ repositories: [MAIN], ledger: LEDGER }, '--json');
    const lines = stdout.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { type: 'rebuilt-repository', ...MAIN },
      { type: 'ledger', ...LEDGER, time: '2026-11-21T10:44:00.000Z' },
    ]);
  });
});
