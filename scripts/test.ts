/**
 * `npm test [-- names]`: every check and every suite, or those named (`static`, `suite`, `lint`, `unit`, `interop`, …),
 * one line each, and at the end one line that counts them all.
 */
import { exitCode, skipLines, stepLine, total } from './test/report.ts';
import { staticChecks } from './test/static-checks.ts';
import type { Outcome } from './test/step.ts';
import { suites } from './test/suites.ts';

const steps = [...staticChecks, ...suites];
const wanted = process.argv.slice(2);
const unknown = wanted.filter((word) => !steps.some(({ name, group }) => word === name || word === group));
if (unknown.length > 0) {
  say(
    `✖ there is no ${unknown.join(', ')}; choose from: static, suite, ${steps.map(({ name }) => name).join(', ')}`,
  );
  process.exit(2);
}

say('Holdfast · checks and suites\n');
const outcomes: Outcome[] = [];
for (const step of steps) {
  if (wanted.length > 0 && !wanted.includes(step.name) && !wanted.includes(step.group)) continue;
  const started = performance.now();
  const outcome = await step.run();
  say(stepLine(step.name, outcome, performance.now() - started));
  if (outcome.failed > 0) say(`\n${outcome.output.trimEnd()}\n`);
  outcomes.push(outcome);
}

const skips = outcomes.flatMap(({ skipped }) => skipped);
const skipsFail = process.env['CI'] === 'true';
if (skips.length > 0)
  say(
    `\nSkipped${skipsFail ? ', which counts as failed here (CI=true) where the machine allows it' : ''}\n${skipLines(skips).join('\n')}`,
  );

const sums = total(outcomes);
process.exitCode = exitCode(sums, { skipsFail });
say(`\n${sums.passed} passed, ${sums.failed} failed, ${sums.skipped} skipped`);

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
