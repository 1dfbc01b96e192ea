import type { Context } from './context.ts';
import { type ProgressSample, progressStatus, renderProgress, renderProgressLine } from './progress.ts';

/**
 * How progress is told: redrawn on a terminal, as lines in a log, as JSON lines to a program (all of them, or only what
 * happens: `events`), or not at all.
 */
export type ProgressMode = 'redraw' | 'lines' | 'json' | 'events' | 'none';

/** What a running piece of work tells about itself. */
export interface ProgressDisplay {
  /** From now on progress is what `sample` says; called again when the next phase counts differently. */
  watch(sample: () => ProgressSample): void;
  /** A line that stays, above what is redrawn; for a program the records instead, where there are some. Empty: for programs alone. */
  note(line: string, records?: readonly Readonly<Record<string, unknown>>[]): void;
  /** Ends the display and removes what would be redrawn. */
  stop(): Promise<void>;
}

/** Milliseconds between two tellings. A person follows ten redraws a second; a log wants few lines. */
const INTERVAL = { redraw: 100, lines: 10_000, json: 1000 } as const;

const CURSOR_TO_START = '\r';
const ERASE_BELOW = '\x1b[J';

export function chooseProgressMode(
  context: Context,
  globals: { json: boolean; quiet: boolean },
): ProgressMode {
  if (globals.json) return globals.quiet ? 'events' : 'json';
  if (globals.quiet) return 'none';
  return context.stderr.terminal.interactive ? 'redraw' : 'lines';
}

/** Starts telling. The first line comes after one interval: what is quick needs no progress. */
export function showProgress(context: Context, mode: ProgressMode): ProgressDisplay {
  const { stdout, stderr, clock } = context;
  const ended = new AbortController();
  let sample: (() => ProgressSample) | undefined;
  let linesOnScreen = 0;

  const erase = () => {
    if (linesOnScreen === 0) return;
    stderr.write(`${CURSOR_TO_START}\x1b[${linesOnScreen}A${ERASE_BELOW}`);
    linesOnScreen = 0;
  };
  const tell = () => {
    if (sample === undefined) return;
    const now = clock.now();
    if (mode === 'json') stdout.write(`${JSON.stringify(progressStatus(sample(), now))}\n`);
    else if (mode === 'lines') stderr.write(`${renderProgressLine(sample(), now)}\n`);
    else if (mode === 'redraw') {
      const lines = renderProgress(sample(), stderr.terminal.columns, now);
      erase();
      stderr.write(`${lines.join('\n')}\n`);
      linesOnScreen = lines.length;
    }
  };
  const note: ProgressDisplay['note'] = (line, records = []) => {
    if (records.length > 0 && (mode === 'json' || mode === 'events')) {
      for (const record of records) stdout.write(`${JSON.stringify(record)}\n`);
      return;
    }
    if (line === '') return;
    erase();
    stderr.write(`${line}\n`);
  };
  const announce = () => note('Stopping cleanly. Press Ctrl-C again to stop at once.');
  context.signal.addEventListener('abort', announce, { once: true });
  const silent = mode === 'none' || mode === 'events';
  const running = silent ? Promise.resolve() : repeat(tell, INTERVAL[mode], clock, ended.signal);

  return {
    watch(next) {
      sample = next;
    },
    note,
    async stop() {
      context.signal.removeEventListener('abort', announce);
      ended.abort();
      await running;
      erase();
    },
  };
}

async function repeat(
  tell: () => void,
  interval: number,
  clock: Context['clock'],
  ended: AbortSignal,
): Promise<void> {
  while (!ended.aborted) {
    try {
      await clock.sleep(interval, ended);
    } catch {
      // The sleep rejects only because the display was stopped.
      return;
    }
    tell();
  }
}
