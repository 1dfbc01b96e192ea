import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';
import type { Skip } from './step.ts';

/** What one run of vitest came to, with the reason of each skip. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly Skip[];
}

/** Writes the tally to the file that `HOLDFAST_TALLY_FILE` names. */
export default class TallyReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const file = process.env['HOLDFAST_TALLY_FILE'];
    if (file !== undefined) writeFileSync(file, JSON.stringify(tally(modules)));
  }
}

function tally(modules: readonly TestModule[]): Tally {
  let passed = 0;
  let failed = 0;
  const skipped: Skip[] = [];
  for (const module of modules) {
    // A file that could not be loaded has errors and no tests.
    failed += module.errors().length;
    for (const test of module.children.allTests()) {
      const result = test.result();
      if (result.state === 'passed') passed += 1;
      else if (result.state === 'skipped')
        skipped.push({ test: test.fullName, reason: result.note ?? 'no reason given' });
      else failed += 1;
    }
  }
  return { passed, failed, skipped };
}
