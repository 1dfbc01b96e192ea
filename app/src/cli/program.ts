import { Command, CommanderError } from 'commander';
import type { Context } from './context.ts';
import { failureFrom, failureLine, renderFailure } from './failure-report.ts';
import { addGlobalOptions, commandPath } from './global-options.ts';
import { styleFor } from './style.ts';
import { usageFailure } from './usage-failure.ts';

/** One command and the words of the group it belongs to; none for the program itself. */
export interface Registration {
  readonly group: readonly Group[];
  define(parent: Command, context: Context): void;
}

export type Group = keyof typeof GROUPS;

const GROUPS = {
  policy: 'one file that says what must survive: check it, write it out',
  repo: 'the repository itself: create, check, thin out, look inside',
  key: 'the passwords that open a repository',
  repair: 'bring back what is damaged or lost',
  files: 'back up and restore files',
  postgres: 'back up and restore PostgreSQL servers',
  retention: 'what is kept, why, and until when',
  catalog: 'what the control plane remembers',
  alerts: 'who hears of trouble, and whether it arrives',
  doctor: 'say what a source or a storage lacks for backups, and how to mend it',
} as const;

const NAME = 'holdfast';
const DESCRIPTION = 'Keeps your last copy, in restic’s format, and brings it back.';

export interface ProgramOptions {
  readonly version: string;
  readonly registrations: readonly Registration[];
}

/** Runs one command line (without the program's own name) and resolves to the exit code. Never rejects. */
export async function runProgram(
  words: readonly string[],
  context: Context,
  options: ProgramOptions,
): Promise<number> {
  let current: Command = new Command(NAME);
  try {
    const program = createProgram(context, options, (command) => {
      current = command;
    });
    await program.parseAsync([...words], { from: 'user' });
    return 0;
  } catch (error) {
    return report(error, current, words, context);
  }
}

/** `onCommand` hears of each command on the way down the line: the last one is whose failure it is. */
function createProgram(
  context: Context,
  options: ProgramOptions,
  onCommand: (command: Command) => void,
): Command {
  const program = new Command(NAME)
    .description(DESCRIPTION)
    .version(options.version, '--version', 'the version');
  configure(program, context);
  addGlobalOptions(program).hook('preSubcommand', (_parent, child) => onCommand(child));
  const groups = new Set<Command>();
  const findOrAddGroup = (parent: Command, name: Group): Command => {
    // A group may be a command of its own as well, declared before those in it.
    const existing = parent.commands.find((command) => command.name() === name);
    const group =
      existing ?? addGlobalOptions(parent.command(name).description(GROUPS[name]).helpCommand(false));
    if (!groups.has(group)) group.hook('preSubcommand', (_parent, child) => onCommand(child));
    groups.add(group);
    return group;
  };
  for (const { group, define } of options.registrations) {
    define(group.reduce(findOrAddGroup, program), context);
  }
  return program;
}

/** Commander copies these settings to the commands made from this one, so they are set before any. */
function configure(program: Command, context: Context): void {
  program
    .enablePositionalOptions()
    .helpCommand(false)
    .exitOverride()
    .configureHelp({
      helpWidth: Math.min(100, context.stdout.terminal.columns),
      subcommandTerm: (command) => command.name(),
    })
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
      // Told by `report`, like every other failure.
      outputError: () => {},
    });
}

function report(error: unknown, command: Command, words: readonly string[], context: Context): number {
  // commander.help is a group without a verb: its help was shown, but nothing was done.
  if (error instanceof CommanderError && error.code === 'commander.help') return 2;
  if (error instanceof CommanderError && error.exitCode === 0) return 0;
  const path = commandPath(command);
  const failure =
    error instanceof CommanderError ? usageFailure(error, path) : failureFrom(error, context.signal);
  const operation = path === '' ? NAME : path;
  // The line itself may be what was not understood, so these two are looked for in the plain words.
  if (words.includes('--json')) {
    context.stdout.write(`${failureLine(failure, operation)}\n`);
    return failure.exitCode;
  }
  const { terminal } = context.stderr;
  const lines = renderFailure(failure, {
    operation,
    width: terminal.columns,
    style: styleFor({ colour: terminal.colour && !words.includes('--no-color') }),
    debug: (context.environment.HOLDFAST_DEBUG ?? '') !== '',
  });
  context.stderr.write(`${lines.join('\n')}\n`);
  return failure.exitCode;
}
