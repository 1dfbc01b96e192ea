import type { Counts } from '../model/counts.ts';
import { spoken } from './duration.ts';
import type { Tally } from './tally.ts';

/** Pure text: what `npm run soak` prints and writes. */

export interface Result {
  /** What was done in steps, and without pause. */
  readonly tally: Tally;
  readonly counts: Counts;
  /** Milliseconds. */
  readonly took: number;
  readonly seed: string;
  readonly storage: string;
  /** What did not hold, in sentences. */
  readonly wrong: readonly string[];
}

export interface DatedResult extends Result {
  readonly ended: Date;
  readonly versions: { readonly restic: string };
}

export function progressLine(tally: Tally, counts: Counts, left: number): string {
  const acted = sum([...counts.byAction.values()].map(({ done }) => done));
  const figures = [
    `${acted} programs done in ${counts.rounds} rounds`,
    ...(tally.steps === 0 ? [] : [`${tally.steps} steps`]),
    `${tally.restores + counts.restores} restores compared`,
    ...(tally.powerCuts === 0 ? [] : [`${tally.powerCuts} power cuts`]),
  ];
  return `  ${figures.join(', ')} · ${spoken(left)} left`;
}

export function summaryLines(result: Result): string[] {
  const { took, wrong } = result;
  const verdict =
    wrong.length === 0
      ? `✔ everything that was promised was there, ${spoken(took)}`
      : `✖ it did not hold (--seed ${result.seed})`;
  return [
    '',
    ...rows(result).map(([what, figure]) => `  ${what.padEnd(46)}${figure}`),
    '',
    verdict,
    ...wrong.map((sentence) => `  ${sentence}`),
  ];
}

/** The page with the table of that profile replaced: what follows its mark, up to the next heading. */
export function withResult(page: string, profile: string, result: DatedResult): string {
  const mark = `<!-- Written by npm run soak -- ${profile === '' ? '' : `--profile ${profile} `}--write-docs -->`;
  const [before = '', after] = page.split(mark);
  if (after === undefined) throw new Error(`the page has no ${mark}`);
  const table = [
    ['Ended', `${result.ended.toISOString().slice(0, 16).replace('T', ' ')} UTC`],
    ['Duration', spoken(result.took)],
    ['Seed', result.seed],
    ['Storage', result.storage],
    ['Stock restic', result.versions.restic],
    ...rows(result),
    ['Did not hold', String(result.wrong.length)],
  ];
  const lines = ['| | |', '|---|---|', ...table.map(([what, figure]) => `| ${what} | ${figure} |`)];
  const next = after.indexOf('\n## ');
  return `${before}${mark}\n\n${lines.join('\n')}\n${next < 0 ? '' : after.slice(next)}`;
}

type Row = readonly [what: string, figure: string];

function rows({ tally, counts }: Result): Row[] {
  return [
    ...(counts.rounds === 0 ? [] : rowsOfCrowd(counts)),
    ...(tally.steps === 0 ? [] : rowsOfSteps(tally)),
    ...(tally.powerCuts === 0 ? [] : [['Power cuts', String(tally.powerCuts)] as const]),
  ];
}

function rowsOfCrowd(counts: Counts): Row[] {
  return [
    ['Rounds without pause', String(counts.rounds)],
    ...endings(counts.byAction),
    ...mishaps(counts.mishaps),
    ['Packs marked, removed', `${counts.marked}, ${counts.removed}`],
    ['Snapshots restored and compared', String(counts.restores)],
    ['Checks with all data read', `${counts.checks} ours, ${counts.resticChecks} by restic`],
  ];
}

function rowsOfSteps(tally: Tally): Row[] {
  const work = new Map(
    [...tally.work].map(([name, { failed, ...ended }]) => [name, { ...ended, 'gave up': failed }]),
  );
  return [
    ['Steps', `${tally.steps} on ${tally.repositories} repositories`],
    ...inSteps(endings(work)),
    ...inSteps(mishaps(tally.mishaps)),
    ['In steps: snapshots promised', String(tally.snapshots)],
    ['In steps: snapshots restored and compared', `${tally.restores}, ${tally.entries} entries`],
    ['In steps: checks with all data read', `${tally.checks} ours, ${tally.resticChecks} by restic`],
  ];
}

interface Endings {
  readonly 'done': number;
  readonly 'gave up': number;
  readonly 'killed': number;
}

function endings(byName: ReadonlyMap<string, Endings>): Row[] {
  return sorted(byName).map(([name, ended]) => [
    capital(name),
    `${ended.done} done, ${ended['gave up']} gave up, ${ended.killed} killed`,
  ]);
}

function mishaps(byKind: ReadonlyMap<string, number>): Row[] {
  return sorted(byKind).map(([kind, count]) => [`Mishap: ${kind}`, String(count)]);
}

function inSteps(some: readonly Row[]): Row[] {
  return some.map(([what, figure]) => [`In steps: ${what.charAt(0).toLowerCase()}${what.slice(1)}`, figure]);
}

function sorted<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
