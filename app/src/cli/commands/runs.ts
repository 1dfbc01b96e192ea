import type { Command } from 'commander';
import type { Run } from '../../catalog/records.ts';
import { newCommand, present } from '../command-frame.ts';
import type { Context } from '../context.ts';
import { addControlOptions, type ControlOptions } from '../control-options.ts';
import { addGlobalOptions } from '../global-options.ts';
import { parsePositive } from '../option-values.ts';
import { renderRun, renderRuns, runRecord } from '../render/runs.ts';

export interface RunsRequest extends ControlOptions {
  /** The beginning of an id. */
  readonly id?: string;
  readonly about?: string;
  readonly last: number;
}

/** Newest first. Rejects with `run.not-found` when there is none of that id. */
export type ListRuns = (request: RunsRequest, signal: AbortSignal) => Promise<readonly Run[]>;

export function define(parent: Command, context: Context, listRuns: ListRuns): void {
  const command = newCommand(parent, {
    usage: 'runs [id]',
    summary: 'list what the control plane has done, or show one run with its steps',
    examples: [
      ['holdfast runs', 'the last twenty'],
      ['holdfast runs --about media', 'of one source, copy or repository'],
      ['holdfast runs 3f2a', 'one of them: each step, how it ended, what was said'],
    ],
  });
  command
    .option('--about <name>', 'only of this source, copy or repository')
    .option('--last <n>', 'so many', parsePositive, 20);
  addGlobalOptions(addControlOptions(command)).action(async (id: string | undefined) => {
    const options = command.opts<Omit<RunsRequest, 'id'>>();
    const request = id === undefined ? options : { ...options, id };
    const runs = await listRuns(request, context.signal);
    const [only] = runs;
    const lines =
      id !== undefined && only !== undefined
        ? renderRun.bind(null, only, context)
        : renderRuns.bind(null, runs, context);
    present(command, context, { lines, records: () => runs.map(runRecord) }, 'answer');
  });
}
