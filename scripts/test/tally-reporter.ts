import { writeFileSync } from 'node:fs';
import type { Reporter, TestCase, TestModule, TestSuite } from 'vitest/node';
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
    const tests = [...module.children.allTests()];
    // A file that could not be loaded has errors and no tests.
    if (tests.length === 0) failed += module.errors().length;
    for (const test of tests) {
      const result = test.result();
      if (result.state === 'passed') passed += 1;
      else if (result.state !== 'skipped' || isInBrokenSuite(test)) failed += 1;
      else {
        const { impossible = false } = test.meta() as { impossible?: boolean };
        skipped.push({ test: test.fullName, reason: result.note ?? 'no reason given', impossible });
      }
    }
  }
  return { passed, failed, skipped };
}

/** Whether a hook around the test failed: vitest calls the test skipped then, but nobody chose to skip it. */
function isInBrokenSuite(test: TestCase): boolean {
  for (let parent: TestSuite | TestModule = test.parent; ; parent = parent.parent) {
    if (parent.errors().length > 0) return true;
    if (parent.type === 'module') return false;
  }
}
