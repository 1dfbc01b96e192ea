import type { Context, Output } from '../cli/context.ts';
import type { Terminal } from '../cli/terminal.ts';
import { type ManualClock, manualClock } from './manual-clock.ts';

export interface RecordedContext extends Context {
  readonly clock: ManualClock;
  /** All that was written, as one text each. */
  readonly written: { stdout: string; stderr: string };
}

/** A context without a process: what is written is kept, time stands still, nobody can be asked. */
export function recordedContext(
  changes: Partial<Context> = {},
  terminal: Partial<Terminal> = {},
): RecordedContext {
  const written = { stdout: '', stderr: '' };
  const output = (name: 'stdout' | 'stderr'): Output => ({
    terminal: { interactive: false, columns: 100, colour: false, ...terminal },
    write(text) {
      written[name] += text;
    },
    async writeBytes(bytes) {
      written[name] += Buffer.from(bytes).toString();
    },
  });
  return {
    stdout: output('stdout'),
    stderr: output('stderr'),
    environment: {},
    homeDirectory: '/home/ann',
    timeZone: 'UTC',
    signal: new AbortController().signal,
    askSecret: undefined,
    askConsent: undefined,
    ...changes,
    clock: manualClock(Date.parse('2026-11-21T10:52:00Z')),
    written,
  };
}
