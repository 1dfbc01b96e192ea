import type { Command } from 'commander';
import { newCommand, present, type Work, withProgress } from '../../command-frame.ts';
import type { Context } from '../../context.ts';
import { addGlobalOptions } from '../../global-options.ts';
import { parseMoment } from '../../option-values.ts';
import { type PreviewedSource, renderRetention, retentionRecords } from '../../render/retention.ts';

export interface RetentionPreviewRequest {
  /** All of them where none is named. */
  readonly source?: string;
  /** Milliseconds since the epoch; now where it is absent. */
  readonly on?: number;
  /** The policy's file. */
  readonly policy?: string;
}

/** Reads the points from the repositories of the policy and decides; removes nothing. */
export type PreviewRetention = (
  request: RetentionPreviewRequest,
  work: Work,
) => Promise<readonly PreviewedSource[]>;

export function define(parent: Command, context: Context, previewRetention: PreviewRetention): void {
  const command = newCommand(parent, {
    usage: 'preview [source]',
    summary: 'what is kept on a day to come, and why',
    description:
      'Decides, for now or for any day to come, what the rules of the policy keep of each source at each repository, and ' +
      'why. Points that the schedule will have added until then are in it, marked as expected. Removes nothing.',
    examples: [
      ['holdfast retention preview', 'what the next retention removes'],
      ['holdfast retention preview metadata --on "2026-12-24 02:00"', 'what can be restored on that day'],
    ],
  })
    .option('--on <date>', 'the day to look at (now)', parseMoment(context.timeZone))
    .option('--policy <file>', 'the policy (HOLDFAST_POLICY; default: ./holdfast.yaml)');
  addGlobalOptions(command).action(async (source: string | undefined) => {
    const options = command.opts<Omit<RetentionPreviewRequest, 'source'>>();
    const request = { ...options, ...(source === undefined ? {} : { source }) };
    const sources = await withProgress(command, context, (work) => previewRetention(request, work));
    const view = { now: context.clock.now(), timeZone: context.timeZone };
    present(
      command,
      context,
      {
        lines: (style, width) => renderRetention(sources, { style, width, ...view }),
        records: () => retentionRecords(sources),
      },
      'answer',
    );
  });
}
