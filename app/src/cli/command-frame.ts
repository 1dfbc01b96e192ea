import type { Command } from 'commander';
import type { Context } from './context.ts';
import { addGlobalOptions, type GlobalOptions, globalOptionsOf } from './global-options.ts';
import { addPackSize, packSizeOf } from './pack-size.ts';
import { chooseProgressMode, type ProgressDisplay, showProgress } from './progress-display.ts';
import {
  addRepositoryOptions,
  type RepositoryAccess,
  type RepositoryFlags,
  resolveAccess,
} from './repository-options.ts';
import { type Style, styleFor } from './style.ts';

/** An example as help shows it: what to type and what it does. */
export type Example = readonly [line: string, meaning: string];

export interface CommandText {
  /** The verb and its arguments: `backup [path...]`. */
  readonly usage: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What a person should know before using it; the summary where that says all. */
  readonly description?: string;
  readonly examples: readonly Example[];
}

/** What a running piece of work gets besides its request. */
export interface Work {
  readonly signal: AbortSignal;
  readonly progress: Pick<ProgressDisplay, 'watch' | 'note'>;
}

/** A result for people and for programs. */
export interface Presentation {
  lines(style: Style, width: number): readonly string[];
  /** One JSON line each; every one has a `type`. */
  records(): readonly Record<string, unknown>[];
}

export function newCommand(parent: Command, text: CommandText): Command {
  const command = parent.command(text.usage);
  return command
    .summary(text.summary)
    .description(text.description ?? text.summary)
    .addHelpText('after', renderExamples(text.examples));
}

/** Closes the declaration of a command that works with a repository. */
export function endRepositoryCommand(command: Command): Command {
  return addGlobalOptions(addRepositoryOptions(command));
}

/** The same for one that writes data into it. */
export function endWritingCommand(command: Command): Command {
  return addGlobalOptions(addPackSize(addRepositoryOptions(command)));
}

export async function accessFor(
  command: Command,
  context: Context,
  occasion: 'open' | 'create' = 'open',
): Promise<RepositoryAccess> {
  const packSize = packSizeOf(command, context.environment);
  const flags = command.opts<RepositoryFlags>();
  const access = await resolveAccess(flags, globalOptionsOf(command), context, occasion);
  return packSize === undefined ? access : { ...access, packSize };
}

/** Does `work` while its progress is shown; whatever happens, the display is gone afterwards. */
export async function withProgress<T>(
  command: Command,
  context: Context,
  work: (work: Work) => Promise<T>,
): Promise<T> {
  const display = showProgress(context, chooseProgressMode(context, globalOptionsOf(command)));
  try {
    return await work({ signal: context.signal, progress: display });
  } finally {
    await display.stop();
  }
}

/** Prints a result. `--quiet` leaves out what only confirms; what was asked for (a list) is printed all the same. */
export function present(
  command: Command,
  context: Context,
  presentation: Presentation,
  kind: 'confirmation' | 'answer',
): void {
  const globals = globalOptionsOf(command);
  if (globals.json) {
    for (const record of presentation.records()) context.stdout.write(`${JSON.stringify(record)}\n`);
    return;
  }
  if (globals.quiet && kind === 'confirmation') return;
  const lines = presentation.lines(styleOf(globals, context), context.stdout.terminal.columns);
  if (lines.length > 0) context.stdout.write(`${lines.join('\n')}\n`);
}

/** For standard output. */
export function styleOf(globals: GlobalOptions, context: Context): Style {
  return styleFor({ colour: globals.color && context.stdout.terminal.colour });
}

function renderExamples(examples: readonly Example[]): string {
  const lines = examples.flatMap(([line, meaning]) => [`  ${line}`, `      ${meaning}`]);
  return ['', 'Examples:', ...lines].join('\n');
}
