import { Failure } from '@holdfast/engine';
import type { Command } from 'commander';
import { newCommand, present, type Work, withProgress } from '../../command-frame.ts';
import type { Context } from '../../context.ts';
import { formatCounted, formatDuration } from '../../format.ts';
import { addGlobalOptions } from '../../global-options.ts';
import { type Style, signs } from '../../style.ts';
import { printable } from '../../width.ts';

export interface AlertTestRequest {
  /** File of the policy; where the program looks for it by itself when absent. */
  readonly policy?: string;
  /** All channels where it is absent. */
  readonly channel?: string;
}

/** What became of one channel's test message. */
export interface ChannelTrial {
  readonly channel: string;
  readonly kind: 'slack' | 'email' | 'webhook';
  readonly milliseconds: number;
  /** Absent: it was taken. */
  readonly failure?: { readonly message: string; readonly hint?: string };
}

/** Sends a message that says it is a test, once, and does not wait to try again. */
export type TestAlerts = (request: AlertTestRequest, work: Work) => Promise<readonly ChannelTrial[]>;

export function define(parent: Command, context: Context, testAlerts: TestAlerts): void {
  const command = newCommand(parent, {
    usage: 'test [channel]',
    summary: 'send a test message to the channels of the policy',
    description:
      'Sends each channel of the policy, or the one that is named, a message that says it is a test, and tells what became ' +
      'of it. It needs no running control plane and changes nothing.',
    examples: [
      ['holdfast alerts test', 'all of them, after the policy was written'],
      ['holdfast alerts test ops', 'one of them, after its address was changed'],
    ],
  });
  command.option('--policy <file>', 'the policy with the channels');
  addGlobalOptions(command).action(async (channel: string | undefined) => {
    const request = {
      ...command.opts<Pick<AlertTestRequest, 'policy'>>(),
      ...(channel === undefined ? {} : { channel }),
    };
    const trials = await withProgress(command, context, (work) => testAlerts(request, work));
    const view = {
      lines: (style: Style) => trials.flatMap((trial) => trialLines(trial, style)),
      records: () => trials.map((trial) => ({ type: 'trial', ...trial })),
    };
    present(command, context, view, 'answer');
    const failed = trials.filter(({ failure }) => failure !== undefined);
    if (failed.length > 0) {
      const verb = failed.length === 1 ? 'takes' : 'take';
      throw new Failure('alert.undelivered', `${formatCounted(failed.length, 'channel')} ${verb} no alerts`);
    }
  });
}

function trialLines({ channel, kind, milliseconds, failure }: ChannelTrial, style: Style): string[] {
  const name = `${printable(channel)} (${kind})`;
  if (failure === undefined) {
    return [
      `${style.good(signs.good)} ${name}: taken in ${formatDuration(milliseconds)}; look whether it arrived`,
    ];
  }
  const hint = failure.hint === undefined ? [] : [`  ${printable(failure.hint)}`];
  return [`${style.bad(signs.bad)} ${name}: ${printable(failure.message)}`, ...hint];
}
