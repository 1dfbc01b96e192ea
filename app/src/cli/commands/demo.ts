import { Failure } from '@holdfast/engine';
import type { Command } from 'commander';
import { newCommand, present, styleOf } from '../command-frame.ts';
import type { Context } from '../context.ts';
import { formatCounted } from '../format.ts';
import { addGlobalOptions, globalOptionsOf } from '../global-options.ts';
import type { Style } from '../style.ts';

export interface DemoOptions {
  /** Where it plays; below the cache directory by default. */
  readonly directory?: string;
}

/** Where the story is told, piece by piece, while it happens. */
export interface Stage {
  readonly style: Style;
  tell(text: string): void;
}

/** What was measured. Milliseconds and bytes. */
export interface DemoSummary {
  readonly files: number;
  readonly bytes: number;
  readonly repositoryBytes: number;
  readonly backup: number;
  readonly secondBackup: number;
  readonly restore: number;
  readonly check: number;
  /** A line for each thing that did not come back as it was: none, or the demo has failed. */
  readonly differences: readonly string[];
}

export type RunDemo = (options: DemoOptions, stage: Stage, signal: AbortSignal) => Promise<DemoSummary>;

/** More would be a second story. */
const DIFFERENCES_SHOWN = 20;

export function define(parent: Command, context: Context, runDemo: RunDemo): void {
  const command = newCommand(parent, {
    usage: 'demo',
    summary: 'back up, lose and bring back a real tree of files, on this machine',
    examples: [
      ['holdfast demo', 'the whole story, in a minute; nothing of yours is touched'],
      ['holdfast demo --directory /mnt/fast/demo', 'on another disk'],
    ],
  });
  command.option('--directory <directory>', 'where it plays; made if it is not there');
  addGlobalOptions(command).action(async () => {
    const globals = globalOptionsOf(command);
    const stage: Stage = {
      style: styleOf(globals, context),
      tell: globals.json || globals.quiet ? () => {} : (text) => context.stdout.write(text),
    };
    const summary = await runDemo(command.opts<DemoOptions>(), stage, context.signal);
    const { differences } = summary;
    const view = {
      lines: () => differences.slice(0, DIFFERENCES_SHOWN),
      records: () => [{ type: 'summary', ...summary }],
    };
    present(command, context, view, 'answer');
    if (differences.length > 0) {
      throw new Failure(
        'internal',
        `${formatCounted(differences.length, 'thing')} did not come back as before`,
        {
          hint: 'This must never happen: please report it with the lines above.',
        },
      );
    }
  });
}
