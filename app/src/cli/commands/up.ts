import type { Command } from 'commander';
import { newCommand, type Work, withProgress } from '../command-frame.ts';
import type { Context } from '../context.ts';
import { addControlOptions, type ControlOptions } from '../control-options.ts';
import { addGlobalOptions } from '../global-options.ts';

/** Carries out a policy until the signal aborts. */
export type RunUp = (options: UpOptions, work: Work) => Promise<void>;

export interface UpOptions extends ControlOptions {
  /** Also what is no news. */
  readonly verbose?: boolean;
}

export function define(parent: Command, context: Context, runUp: RunUp): void {
  const command = newCommand(parent, {
    usage: 'up',
    summary: 'carry out the policy: schedules, journals, copies, retention, alerts',
    description:
      'Carries out the policy until Ctrl-C, or for years as a service. Its memory is a PostgreSQL of its own in the state ' +
      'directory, or the one that DATABASE_URL names; several may work on one, of which one leads. A policy that changes is ' +
      'taken over at once when it is a good one, and refused otherwise. On the first signal what is under way is ended ' +
      'cleanly; killed at any moment, the next one goes on.',
    examples: [
      ['holdfast up', 'with ./holdfast.yaml'],
      ['holdfast up --policy /etc/holdfast/holdfast.yaml', 'as a service would'],
      ['DATABASE_URL=postgres://holdfast@db/holdfast holdfast up', 'its memory on a server of yours'],
    ],
  });
  addControlOptions(command).option('-v, --verbose', 'also tell what begins, and what is as it was');
  addGlobalOptions(command).action(async () => {
    await withProgress(command, context, (work) => runUp(command.opts<UpOptions>(), work));
  });
}
