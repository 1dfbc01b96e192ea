import type { Run, RunFailure, RunStep } from '../../catalog/records.ts';
import type { Context } from '../context.ts';
import { formatDuration } from '../format.ts';
import { wrapText } from '../paragraph.ts';
import { type Style, signs } from '../style.ts';
import { printable, truncateEnd } from '../width.ts';
import { weekdayTime } from './moment-words.ts';
import { renderTable } from './table.ts';

type Reader = Pick<Context, 'timeZone' | 'clock'>;

/** One line each, newest first; what went wrong below. */
export function renderRuns(runs: readonly Run[], reader: Reader, style: Style, width: number): string[] {
  if (runs.length === 0) return ['Nothing has run yet.'];
  const room = Math.max(SHORTEST_SUMMARY, width - OTHER_COLUMNS);
  const rows = runs.map((run) => [
    signOf(run.state, style),
    run.id.slice(0, 8),
    run.kind,
    printable(run.about),
    startOf(run, reader),
    tookOf(run),
    truncateEnd(printable(run.failure?.message ?? run.result?.summary ?? run.state), room),
  ]);
  return renderTable(
    [
      { title: '' },
      { title: 'run' },
      { title: 'kind' },
      { title: 'about' },
      { title: 'begun' },
      { title: 'took', align: 'right' },
      { title: 'what came of it' },
    ],
    rows,
    width,
  );
}

/** One run with each of its steps, and all that was said. */
export function renderRun(run: Run, reader: Reader, style: Style, width: number): string[] {
  const { id, kind, about, cause, attempt, state } = run;
  return [
    `${signOf(state, style)} ${style.strong(`${kind} ${printable(about)}`)} ${state} · run ${id}`,
    `  ${cause}, try ${attempt}, due ${weekdayTime(run.dueAt, reader.timeZone)}, begun ${startOf(run, reader)}`,
    ...run.steps.flatMap((step) => stepLines(step, style, width)),
    ...(run.result?.findings ?? []).flatMap(({ subject, message }) =>
      wrapText(`${signs.warning} ${printable(subject)}: ${printable(message)}`, width - INDENT).map(indented),
    ),
  ];
}

function stepLines(step: RunStep, style: Style, width: number): string[] {
  const { name, state, result, failure } = step;
  const said = result?.summary ?? '';
  const line = [`${signOf(state, style)} ${name}`, tookOf(step), said === '' ? state : printable(said)];
  return [indented(line.filter((part) => part !== '').join(' · ')), ...failureLines(failure, width)];
}

function failureLines(failure: RunFailure | undefined, width: number): string[] {
  if (failure === undefined) return [];
  const texts = [
    `${failure.code}: ${failure.message}`,
    ...(failure.hint === undefined ? [] : [failure.hint]),
  ];
  return texts.flatMap((text) =>
    wrapText(printable(text), width - 2 * INDENT).map((line) => indented(indented(line))),
  );
}

export function runRecord(run: Run): Record<string, unknown> {
  return { type: 'run', ...run };
}

function signOf(state: Run['state'] | RunStep['state'], style: Style): string {
  switch (state) {
    case 'succeeded':
    case 'done':
      return style.good(signs.good);
    case 'failed':
      return style.bad(signs.bad);
    case 'incomplete':
    case 'unknown':
      return style.warning(signs.warning);
    default:
      return style.quiet('·');
  }
}

function startOf({ startedAt }: Run, { timeZone }: Reader): string {
  return startedAt === undefined ? 'not yet' : weekdayTime(startedAt, timeZone);
}

function tookOf({ startedAt, endedAt }: Pick<Run, 'startedAt' | 'endedAt'>): string {
  return startedAt === undefined || endedAt === undefined ? '' : formatDuration(endedAt - startedAt);
}

function indented(line: string): string {
  return ' '.repeat(INDENT) + line;
}

const INDENT = 2;
/** Cells of all columns but the last, with usual names. */
const OTHER_COLUMNS = 62;
const SHORTEST_SUMMARY = 30;
