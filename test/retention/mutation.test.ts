import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { compile, load, mutantsOf, sourcesIn } from './mutants.ts';
import { difference, prepareTrial, type Subject } from './trial.ts';

/** Mistakes that change nothing that anybody could see, each with the reason. */
const HARMLESS: readonly { readonly change: string; readonly reason: string }[] = [
  ...['(5001)', '(4999)'].map((number) => ({
    change: `const MOST_STEPS = 5000; → const MOST_STEPS = ${number};`,
    reason: 'how far a preview of years looks is a choice',
  })),
  ...[
    'if (time > until && expected.length >= MOST_STEPS) break;',
    'if (time > until || expected.length > MOST_STEPS) break;',
  ].map((mutated) => ({
    change: `if (time > until || expected.length >= MOST_STEPS) break; → ${mutated}`,
    reason: 'points that are expected after the end are never looked at: only time is lost',
  })),
];

it('every small mistake in the retention code is noticed', () => {
  const sources = sourcesIn(fileURLToPath(new URL('../../app/src/retention/', import.meta.url)));
  const compiled = new Map([...sources].map(([name, source]) => [name, compile(source)]));
  const trial = prepareTrial({ decisions: 3000, futures: 150 });
  const subjectOf = (files: ReadonlyMap<string, string>) =>
    load(files, 'preview-retention.ts') as unknown as Subject;
  const decide = (files: ReadonlyMap<string, string>) =>
    load(files, 'decide-retention.ts') as unknown as Subject;
  const tried = (files: ReadonlyMap<string, string>) =>
    difference(trial, { ...subjectOf(files), decideRetention: decide(files).decideRetention });
  expect(tried(compiled)).toBeUndefined();

  const mutants = mutantsOf(sources);
  expect(mutants.length).toBeGreaterThan(80);
  const survivors = mutants
    .filter(({ file, source }) => tried(new Map([...compiled, [file, compile(source)]])) === undefined)
    .map(({ file, line, change }) => ({ at: `${file}:${line}`, change }));
  const unexplained = survivors.filter(({ change }) => !HARMLESS.some((one) => one.change === change));
  expect(unexplained).toEqual([]);
  // An explanation of what is gone explains nothing.
  for (const { change } of HARMLESS) expect(survivors.map((one) => one.change)).toContain(change);
});
