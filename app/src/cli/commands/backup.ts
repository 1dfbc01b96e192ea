import { Failure } from '@holdfast/engine';
import type { Command } from 'commander';
import type { Run } from '../../catalog/records.ts';
import { newCommand, present, type Work, withProgress } from '../command-frame.ts';
import type { Context } from '../context.ts';
import { addControlOptions, type ControlOptions } from '../control-options.ts';
import { addGlobalOptions } from '../global-options.ts';
import { renderRuns, runRecord } from '../render/runs.ts';

export interface BackupNowRequest extends ControlOptions {
  /** Names; all of the policy's where there is none. */
  readonly sources: readonly string[];
}

/** Asks the control plane for a snapshot of each now, and resolves with how they ended. */
export type BackupNow = (request: BackupNowRequest, work: Work) => Promise<readonly Run[]>;

export function define(parent: Command, context: Context, backupNow: BackupNow): void {
  const command = newCommand(parent, {
    usage: 'backup [source...]',
    summary: 'let the control plane take a snapshot of sources now',
    description:
      'Asks the running control plane for a snapshot of the sources, of all when none is named, and waits for them. They go ' +
      'the same way as those of the schedule: the same limits, hooks, copies, records. One that is under way already is ' +
      'waited for instead. Stopping the waiting does not stop them.',
    examples: [
      ['holdfast backup media', 'before a risky change'],
      ['holdfast backup', 'all of them'],
    ],
  });
  addGlobalOptions(addControlOptions(command)).action(async (sources: string[]) => {
    const request = { ...command.opts<ControlOptions>(), sources };
    const runs = await withProgress(command, context, (work) => backupNow(request, work));
    const view = {
      lines: renderRuns.bind(null, runs, context),
      records: () => runs.map(runRecord),
    };
    present(command, context, view, 'confirmation');
    const failed = runs.filter(({ state }) => state === 'failed' || state === 'cancelled');
    const incomplete = runs.filter(({ state }) => state === 'incomplete');
    if (failed.length > 0) {
      throw new Failure('run.failed', `${namesOf(failed)} could not be saved`, {
        hint: `Look at: holdfast runs ${failed[0]?.id ?? ''}`,
      });
    }
    if (incomplete.length > 0) {
      throw new Failure('incomplete', `${namesOf(incomplete)} could not be saved whole`, {
        hint: `Look at: holdfast runs ${incomplete[0]?.id ?? ''}`,
      });
    }
  });
}

function namesOf(runs: readonly Run[]): string {
  return runs.map(({ about }) => about).join(', ');
}
