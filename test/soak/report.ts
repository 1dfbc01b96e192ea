import { spoken } from './duration.ts';
import type { Tally } from './tally.ts';

/** Pure text: what `npm run soak` prints and writes. */

export interface Result {
  /** Milliseconds. */
  readonly took: number;
  readonly seed: string;
  /** What did not hold, in sentences. */
  readonly wrong: readonly string[];
}

export interface DatedResult extends Result {
  readonly ended: Date;
  readonly versions: { readonly restic: string };
}

export function progressLine(tally: Tally, left: number): string {
  const figures = `${tally.steps} steps, ${tally.restores} restores compared, ${tally.powerCuts} power cuts`;
  return `  ${figures} · ${spoken(left)} left`;
}

export function summaryLines(tally: Tally, { took, seed, wrong }: Result): string[] {
  const verdict =
    wrong.length === 0
      ? `✔ everything that was promised was there, ${spoken(took)}`
      : `✖ ${wrong.length} things did not hold (--seed ${seed})`;
  return [
    '',
    ...rows(tally).map(([what, figure]) => `  ${what.padEnd(46)}${figure}`),
    '',
    verdict,
    ...wrong.map((sentence) => `  ${sentence}`),
  ];
}

const MARK = '<!-- What follows is written by npm run soak -- --write-docs. -->';

/** The page with what follows its mark replaced. */
export function withResult(page: string, tally: Tally, result: DatedResult): string {
  const { took, seed, wrong, ended, versions } = result;
  const table = [
    ['Ended', `${ended.toISOString().slice(0, 16).replace('T', ' ')} UTC`],
    ['Duration', spoken(took)],
    ['Seed', seed],
    ['Stock restic', versions.restic],
    ...rows(tally),
    ['Did not hold', String(wrong.length)],
  ];
  const lines = ['| | |', '|---|---|', ...table.map(([what, figure]) => `| ${what} | ${figure} |`)];
  return `${page.split(MARK)[0]}${MARK}\n\n${lines.join('\n')}\n`;
}

function rows(tally: Tally): [what: string, figure: string][] {
  return [
    ['Repositories', String(tally.repositories)],
    ['Steps', String(tally.steps)],
    ...[...tally.work]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { done, failed, killed }]): [string, string] => [
        capital(name),
        `${done} done, ${failed} gave up, ${killed} killed`,
      ]),
    ...[...tally.mishaps]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([kind, count]): [string, string] => [`Mishap: ${kind}`, String(count)]),
    ['Snapshots promised', String(tally.snapshots)],
    ['Snapshots restored and compared', `${tally.restores}, ${tally.entries} entries`],
    ['Checks with all data read', `${tally.checks} ours, ${tally.resticChecks} by restic`],
    ['Power cuts', String(tally.powerCuts)],
  ];
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
