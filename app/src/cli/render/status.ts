import type { Problem } from '../../alert/incident.ts';
import type {
  CopyStatus,
  Judged,
  RepositoryStatus,
  SourceStatus,
  Status,
  Verdict,
} from '../../status/status.ts';
import { compareVerdicts } from '../../status/verdict.ts';
import { formatAge, formatBytes, formatCounted, formatDuration } from '../format.ts';
import { wrapText } from '../paragraph.ts';
import { type Style, signs } from '../style.ts';
import { displayWidth, printable } from '../width.ts';
import { shortTime, weekdayTime } from './moment-words.ts';
import { type Column, renderTable } from './table.ts';

/** Beyond this lines are tiring to read, however wide the window is. */
const COMFORTABLE_WIDTH = 100;
const VERDICTS: readonly Verdict[] = ['broken', 'unknown', 'at risk', 'good'];

const SOURCE_COLUMNS: readonly Column[] = [
  { title: 'source' },
  { title: 'objective' },
  { title: 'at stake' },
  { title: 'restorable', flexible: true },
  { title: 'copies' },
  { title: 'next' },
];
const REPOSITORY_COLUMNS: readonly Column[] = [
  { title: 'repository' },
  { title: 'holds', align: 'right' },
  { title: 'left', align: 'right' },
  { title: 'grows', align: 'right' },
  { title: 'full' },
  { title: 'checked', flexible: true },
];
const COPY_COLUMNS: readonly Column[] = [
  { title: 'copy', flexible: true },
  { title: 'behind' },
  { title: 'next' },
];

/** One screen: worst first; each problem with what happened, what happens next and what to look at. */
export function renderStatus(status: Status, style: Style, width: number): string[] {
  const room = Math.min(width, COMFORTABLE_WIDTH);
  const { sources, repositories, copies, holdfast } = status;
  return [
    ...headline(status, style, room),
    ...(holdfast.verdict === 'good' ? [] : ['', ...judgedLines('holdfast', holdfast, style, room)]),
    ...section(SOURCE_COLUMNS, sources, (source) => sourceRow(source, status), style, room),
    ...section(
      REPOSITORY_COLUMNS,
      repositories,
      (repository) => repositoryRow(repository, status.at),
      style,
      room,
    ),
    ...section(COPY_COLUMNS, copies, (copy) => copyRow(copy, status), style, room),
  ];
}

export function statusRecord(status: Status): Record<string, unknown> {
  return { type: 'stack', ...status };
}

function headline({ stack, at, timezone, ...status }: Status, style: Style, width: number): string[] {
  const left = `${printable(stack)} · ${weekdayTime(at, timezone)} (${timezone})`;
  const verdicts = [...status.sources, ...status.repositories, ...status.copies, status.holdfast].map(
    ({ verdict }) => verdict,
  );
  const counts = VERDICTS.map((verdict) => ({
    verdict,
    count: verdicts.filter((one) => one === verdict).length,
  })).filter(({ count }) => count > 0);
  const plain = counts.map(({ verdict, count }) => `${verdict}: ${count}`).join(' · ');
  const coloured = counts
    .map(({ verdict, count }) => paintOf(verdict, style)(`${verdict}: ${count}`))
    .join(' · ');
  const gap = width - displayWidth(left) - displayWidth(plain);
  return gap < 3 ? [style.strong(left), coloured] : [style.strong(left) + ' '.repeat(gap) + coloured];
}

/** A table whose rows carry their sign in front and their trouble below. */
function section<Part extends Judged & { readonly name: string }>(
  columns: readonly Column[],
  parts: readonly Part[],
  rowOf: (part: Part) => string[],
  style: Style,
  width: number,
): string[] {
  if (parts.length === 0) return [];
  const sorted = parts.toSorted((a, b) => compareVerdicts(b.verdict, a.verdict));
  const [head = '', ...rows] = renderTable(columns, sorted.map(rowOf), width - MARGIN.length);
  return [
    '',
    style.quiet(MARGIN + head),
    ...sorted.flatMap((part, index) => [
      `${signOf(part.verdict, style)} ${rows[index] ?? ''}`,
      ...troubleLines(part, style, width),
    ]),
  ];
}

const MARGIN = '  ';
const INDENT = ' '.repeat(6);

function judgedLines(name: string, judged: Judged, style: Style, width: number): string[] {
  return [`${signOf(judged.verdict, style)} ${name}`, ...troubleLines(judged, style, width)];
}

function troubleLines({ problems, unknown }: Judged, style: Style, width: number): string[] {
  const room = width - INDENT.length - MARGIN.length;
  return [
    ...problems.flatMap((problem) => [
      ...marked(problemSign(problem, style), problem.message, room),
      ...(problem.hint === undefined
        ? []
        : wrapText(printable(problem.hint), room).map((line) => INDENT + line)),
    ]),
    ...unknown.flatMap((sentence) => marked(style.quiet(signs.unknown), sentence, room)),
  ];
}

function marked(sign: string, sentence: string, room: number): string[] {
  const [first = '', ...rest] = wrapText(printable(sentence), room);
  return [`${INDENT.slice(MARGIN.length)}${sign} ${first}`, ...rest.map((line) => INDENT + line)];
}

function problemSign({ severity }: Problem, style: Style): string {
  return severity === 'critical' ? style.bad(signs.bad) : style.warning(signs.warning);
}

function sourceRow(source: SourceStatus, { at, timezone }: Status): string[] {
  const { objective, exposure, copies } = source;
  return [
    printable(source.name),
    objective.rpo === undefined ? '–' : `RPO ${formatDuration(objective.rpo).replace(/\.0 s$/, ' s')}`,
    exposure.best === undefined ? 'unknown' : formatDuration(exposure.best),
    restorable(source, at, timezone),
    `${copies.have} of ${copies.wanted}${copies.places.length > 1 ? `, ${formatCounted(copies.places.length, 'place')}` : ''}`,
    nextWords(source, at, timezone),
  ];
}

function restorable(source: SourceStatus, at: number, timezone: string): string {
  if (source.window !== undefined) return `any moment since ${shortTime(source.window.from, at, timezone)}`;
  if (source.points === undefined) return 'unknown';
  if (source.lastGood === undefined) return source.points === 0 ? 'nothing yet' : 'nothing good';
  return `${formatCounted(source.points, 'point')}, last ${shortTime(source.lastGood.time, at, timezone)}`;
}

function nextWords(
  part: { readonly nextRun?: number; readonly runningSince?: number },
  at: number,
  timezone: string,
): string {
  if (part.runningSince !== undefined) return `running ${formatDuration(at - part.runningSince)}`;
  return part.nextRun === undefined ? '–' : shortTime(part.nextRun, at, timezone);
}

function repositoryRow(repository: RepositoryStatus, at: number): string[] {
  const { bytes, free, growthPerDay, daysUntilFull, check } = repository;
  const read = check.dataRead === undefined ? '' : `, ${Math.floor(check.dataRead * 100)} % of the data read`;
  return [
    printable(repository.name),
    bytes === undefined ? 'unknown' : formatBytes(bytes),
    free === undefined ? '–' : formatBytes(free),
    growthPerDay === undefined
      ? '–'
      : `${growthPerDay < 0 ? '−' : ''}${formatBytes(Math.abs(growthPerDay))}/day`,
    daysUntilFull === undefined ? '–' : `in ${formatCounted(Math.floor(daysUntilFull), 'day')}`,
    check.structureAt === undefined ? 'never' : formatAge(check.structureAt, at) + read,
  ];
}

function copyRow(copy: CopyStatus, { at, timezone }: Status): string[] {
  return [
    printable(copy.name),
    copy.behind === undefined ? 'unknown' : copy.behind === 0 ? 'nothing' : formatDuration(copy.behind),
    copy.after === 'each snapshot' && copy.nextRun === undefined && copy.runningSince === undefined
      ? 'after each snapshot'
      : nextWords(copy, at, timezone),
  ];
}

function signOf(verdict: Verdict, style: Style): string {
  return paintOf(verdict, style)(SIGNS[verdict]);
}

const SIGNS = {
  good: signs.good,
  'at risk': signs.warning,
  broken: signs.bad,
  unknown: signs.unknown,
} as const;

function paintOf(verdict: Verdict, style: Style): (text: string) => string {
  return { good: style.good, 'at risk': style.warning, broken: style.bad, unknown: style.quiet }[verdict];
}
