import { Failure, type FailureCode, isFailure } from '@holdfast/engine';
import { wrapText } from './paragraph.ts';
import { type Style, signs } from './style.ts';
import { displayWidth, padStart, printable } from './width.ts';

export interface ReportOptions {
  /** What was being done: the command's words, `files backup`. */
  readonly operation: string;
  /** Cells in a line. */
  readonly width: number;
  readonly style: Style;
  /** Shows where an error came from (HOLDFAST_DEBUG=1). */
  readonly debug: boolean;
}

const INDENT = '  ';
const GAP = 3;
/** Beyond this lines are tiring to read, however wide the window is. */
const COMFORTABLE_WIDTH = 100;

const OUTCOMES: Partial<Record<FailureCode, string>> = {
  usage: 'did not start',
  incomplete: 'is incomplete',
  'repository.damaged': 'found damage',
  'status.at-risk': 'is not all good',
  'status.broken': 'is not all good',
  'status.unknown': 'is not all good',
  'policy.invalid': 'is done',
  'policy.unkept': 'is done',
};

/** The failure to report for whatever was thrown. What was thrown because of an abort is told as its reason. */
export function failureFrom(error: unknown, signal: AbortSignal): Failure {
  if (isFailure(error)) return error;
  if (signal.aborted && isFailure(signal.reason) && isAbortError(error)) return signal.reason;
  const message = error instanceof Error ? error.message : String(error);
  return new Failure('internal', `something unforeseen happened: ${message}`, {
    hint: 'Run it again with HOLDFAST_DEBUG=1 to see where it came from.',
    cause: error,
  });
}

/** The lines for a person: what stopped and why, on what, what to do, and where to read more. */
export function renderFailure(failure: Failure, options: ReportOptions): string[] {
  const { style } = options;
  const width = Math.min(options.width, COMFORTABLE_WIDTH);
  const room = width - INDENT.length;
  const outcome = OUTCOMES[failure.code] ?? 'stopped';
  const sentence = `${options.operation} ${outcome}: ${printable(failure.message)}`;
  const headline = withRight(wrapText(sentence, room), `${failure.code} (exit ${failure.exitCode})`, room);
  const subject = failure.subject === undefined ? [] : wrapText(printable(failure.subject), room);
  const hint = failure.hint === undefined ? [] : wrapText(printable(failure.hint), room);
  const advice = withMore(
    [...subject, ...hint],
    hint.length > 0,
    `More: holdfast help ${failure.code}`,
    room,
  );
  return [
    ...headline.map((line, index) => (index === 0 ? `${style.bad(signs.bad)} ${line}` : INDENT + line)),
    ...advice.map((line) => INDENT + line),
    ...(options.debug ? renderOrigin(failure).map((line) => INDENT + style.quiet(line)) : []),
  ];
}

/** The one line for a program. */
export function failureLine(failure: Failure, operation: string): string {
  return JSON.stringify({
    type: 'error',
    code: failure.code,
    exitCode: failure.exitCode,
    retry: failure.retry,
    operation,
    message: failure.message,
    subject: failure.subject,
    hint: failure.hint,
  });
}

/** The code stands at the right end of the headline, or on its own line where it does not fit. */
function withRight(lines: readonly string[], right: string, room: number): string[] {
  const last = lines.at(-1) ?? '';
  const space = room - displayWidth(last);
  if (space < displayWidth(right) + GAP) return [...lines, right];
  return [...lines.slice(0, -1), last + padStart(right, space)];
}

function withMore(lines: readonly string[], afterHint: boolean, more: string, room: number): string[] {
  const last = lines.at(-1) ?? '';
  if (!afterHint || displayWidth(last) + GAP + more.length > room) return [...lines, more];
  return [...lines.slice(0, -1), last + ' '.repeat(GAP) + more];
}

/** The stacks of the error and its causes. A cause may be anything, also itself: at most ten are told. */
function renderOrigin(failure: Failure): string[] {
  const lines: string[] = [];
  let error: unknown = failure;
  for (let depth = 0; depth < 10 && error !== undefined; depth += 1) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    lines.push(
      ...text
        .split('\n')
        .map((line, index) => printable(depth > 0 && index === 0 ? `because of ${line}` : line)),
    );
    error = error instanceof Error ? error.cause : undefined;
  }
  return lines;
}

function isAbortError(error: unknown): boolean {
  return error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError');
}
