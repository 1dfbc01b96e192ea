import { Failure } from '@holdfast/engine';
import type { Command } from 'commander';
import { newCommand, present, type Work, withProgress } from '../../command-frame.ts';
import type { Context } from '../../context.ts';
import { addControlOptions, type ControlOptions } from '../../control-options.ts';
import { addGlobalOptions } from '../../global-options.ts';
import { type RebuiltCatalog, rebuiltRecords, renderRebuilt } from '../../render/rebuilt-catalog.ts';

/** Reads all repositories of the policy, then exchanges what is remembered of those that could be read. */
export type RebuildCatalog = (request: ControlOptions, work: Work) => Promise<RebuiltCatalog>;

export function define(parent: Command, context: Context, rebuildCatalog: RebuildCatalog): void {
  const command = newCommand(parent, {
    usage: 'rebuild',
    summary: 'make the control plane’s memory anew from the repositories',
    description:
      'For when the state directory is lost or not to be trusted: reads every repository of the policy, and the newest ledger ' +
      'that lies in any of them, and exchanges what the control plane remembers of points, recovery windows, findings and ' +
      'runs. What is remembered of a repository that cannot be read stays as it was. Nothing is written to the repositories.',
    examples: [
      ['holdfast catalog rebuild', 'from ./holdfast.yaml and its repositories alone'],
      ['holdfast catalog rebuild --policy /etc/holdfast/holdfast.yaml', 'as the service finds it'],
    ],
  });
  addGlobalOptions(addControlOptions(command)).action(async () => {
    const options = command.opts<ControlOptions>();
    const rebuilt = await withProgress(command, context, (work) => rebuildCatalog(options, work));
    const unread = rebuilt.repositories.flatMap((found) => ('failure' in found ? [found] : []));
    const view = {
      lines: renderRebuilt.bind(null, rebuilt, context.timeZone),
      records: () => rebuiltRecords(rebuilt),
    };
    present(command, context, view, unread.length === 0 ? 'confirmation' : 'answer');
    const [first] = unread;
    if (first === undefined) return;
    const names = unread.map(({ name }) => name).join(', ');
    throw new Failure('incomplete', `${names} could not be read`, {
      hint: first.failure.hint ?? 'The same command goes on when it can be.',
      cause: first.failure,
    });
  });
}
