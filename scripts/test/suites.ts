import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inRoot, type Outcome, runTool, type Step } from './step.ts';
import type { Tally } from './tally-reporter.ts';

/** The projects of vitest.config.ts, cheap ones first. One whose folder is not there yet is left out. */
export const suites: readonly Step[] = [
  'unit',
  'interop',
  'postgres',
  'storage',
  'control',
  'crash',
  'model',
  'stories',
  'packages',
]
  .filter((name) => name === 'unit' || inRoot(path.join('test', name)))
  .map((name) => ({ name, group: 'suite', run: () => runSuite(name) }));

async function runSuite(name: string): Promise<Outcome> {
  const scratch = await mkdtemp(path.join(tmpdir(), 'holdfast-tally-'));
  const tallyFile = path.join(scratch, 'tally.json');
  try {
    const { ok, output } = await runTool(
      'vitest/vitest.mjs',
      ['run', '--project', name, '--reporter=default', '--reporter=./scripts/test/tally-reporter.ts'],
      { HOLDFAST_TALLY_FILE: tallyFile },
    );
    const { passed, failed, skipped } = JSON.parse(await readFile(tallyFile, 'utf8')) as Tally;
    // A failure outside any test (an import, an unhandled rejection) is still one.
    return { passed, failed: ok ? failed : Math.max(failed, 1), skipped, output };
  } catch (error) {
    return { passed: 0, failed: 1, skipped: [], output: `the suite left no tally: ${String(error)}` };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
