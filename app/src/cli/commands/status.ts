import { Failure } from '@holdfast/engine';
import type { Command } from 'commander';
import type { Status, Verdict } from '../../status/status.ts';
import { newCommand, present, styleOf } from '../command-frame.ts';
import type { Context } from '../context.ts';
import type { ControlOptions } from '../control-options.ts';
import { formatCounted } from '../format.ts';
import { addGlobalOptions, globalOptionsOf } from '../global-options.ts';
import { renderStatus, statusRecord } from '../render/status.ts';

export type StatusOptions = Pick<ControlOptions, 'state'>;

/** Asks what is known now and judges it. Starts nothing and touches no repository. */
export type ReadStatus = (options: StatusOptions, signal: AbortSignal) => Promise<Status>;

/** As often as a person looks. */
const WATCH_INTERVAL = 2000;
/** Home, and all behind it cleared line by line below: what stays the same does not flicker. */
const HOME = '\x1b[H';
const CLEAR_LINE = '\x1b[K';
const CLEAR_BELOW = '\x1b[J';

export function define(parent: Command, context: Context, readStatus: ReadStatus): void {
  const command = newCommand(parent, {
    usage: 'status',
    summary: 'say whether what the policy promises holds',
    description:
      'Judges each source, repository and copy by what was seen, and when: good, at risk (all promises hold, something is ' +
      'not as it should be), broken (one does not hold), unknown (not looked at, or too long ago). The exit code is that of ' +
      'the worst: 0 good, 1 at risk, 2 broken, 3 unknown, as monitoring programs in the manner of Nagios have it.',
    examples: [
      ['holdfast status', 'one screen, the worst first'],
      ['holdfast status --watch', 'the same, kept up to date'],
      ['holdfast status --json', 'all that is known, for a program'],
    ],
  });
  command
    .option('--state <dir>', 'the control plane’s state directory (HOLDFAST_STATE)')
    .option('--watch', 'show it anew every two seconds until Ctrl-C');
  addGlobalOptions(command).action(async () => {
    const { watch, ...options } = command.opts<StatusOptions & { readonly watch?: true }>();
    if (watch === true) return keepShowing(command, context, () => readStatus(options, context.signal));
    const status = await readStatus(options, context.signal);
    const view = { lines: renderStatus.bind(null, status), records: () => [statusRecord(status)] };
    present(command, context, view, 'answer');
    refuseToBeGood(status);
  });
}

/** Until it is interrupted, which is its ordinary end. */
async function keepShowing(command: Command, context: Context, read: () => Promise<Status>): Promise<void> {
  const globals = globalOptionsOf(command);
  const { stdout, clock, signal } = context;
  const redraws = stdout.terminal.interactive && !globals.json;
  try {
    while (!signal.aborted) {
      const status = await read();
      if (redraws) {
        const lines = renderStatus(status, styleOf(globals, context), stdout.terminal.columns);
        const screen = lines.map((line) => `${line}${CLEAR_LINE}\n`).join('');
        stdout.write(HOME + screen + CLEAR_BELOW);
      } else {
        const view = { lines: renderStatus.bind(null, status), records: () => [statusRecord(status)] };
        present(command, context, view, 'answer');
      }
      await clock.sleep(WATCH_INTERVAL, signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

function refuseToBeGood(status: Status): void {
  const { verdict, sources, repositories, copies, holdfast } = status;
  if (verdict === 'good') return;
  const names = [...sources, ...repositories, ...copies, { ...holdfast, name: 'the control plane' }]
    .filter((part) => part.verdict === verdict)
    .map(({ name }) => name);
  const shown = names.slice(0, NAMES_SHOWN).join(', ');
  const more = names.length > NAMES_SHOWN ? ` and ${formatCounted(names.length - NAMES_SHOWN, 'other')}` : '';
  const verb = names.length === 1 ? 'is' : 'are';
  throw new Failure(CODES[verdict], `${shown}${more} ${verb} ${verdict}`);
}

const NAMES_SHOWN = 5;

const CODES = {
  'at risk': 'status.at-risk',
  broken: 'status.broken',
  unknown: 'status.unknown',
} as const satisfies Record<Exclude<Verdict, 'good'>, string>;
