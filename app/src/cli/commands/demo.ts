import type { Command } from 'commander';
import { newCommand } from '../command-frame.ts';
import type { Context, Output } from '../context.ts';
import { addGlobalOptions } from '../global-options.ts';

export interface DemoOptions {
  /** Where it plays; below the cache directory by default. */
  readonly directory?: string;
}

/** Tells its story itself, line by line, while it happens. */
export type RunDemo = (options: DemoOptions, stage: Output, signal: AbortSignal) => Promise<void>;

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
    await runDemo(command.opts<DemoOptions>(), context.stdout, context.signal);
  });
}
