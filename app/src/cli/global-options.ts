import type { Command } from 'commander';
import { parseDuration } from './option-values.ts';

export interface GlobalOptions {
  /** Results, progress and errors as JSON lines on standard output. */
  readonly json: boolean;
  readonly quiet: boolean;
  /** False with `--no-color`. */
  readonly color: boolean;
  /** False with `--no-lock`. */
  readonly lock: boolean;
  /** How long to wait for a lock, in milliseconds; 0 is not at all. */
  readonly retryLock: number;
}

const NAMES = ['json', 'quiet', 'color', 'lock', 'retryLock'] as const satisfies (keyof GlobalOptions)[];

/**
 * Declared on every command, not only at the top: so they are understood wherever they stand, in a cluster such as
 * `-nq` too, and never taken out of another option's value (`--exclude -q`).
 */
export function addGlobalOptions(command: Command): Command {
  return command
    .optionsGroup('Everywhere:')
    .option('--json', 'print JSON lines for programs')
    .option('-q, --quiet', 'no progress, and no result unless it was asked for')
    .option('--no-color', 'no colour (also: NO_COLOR)')
    .option('--no-lock', 'take no lock: to read from a place where nothing may be written')
    .option('--retry-lock <duration>', 'wait so long for a locked repository, such as 10m', parseDuration)
    .helpOption('-h, --help', 'this help');
}

/** The options as given anywhere on the line; the rightmost place wins. */
export function globalOptionsOf(command: Command): GlobalOptions {
  const given = { json: false, quiet: false, color: true, lock: true, retryLock: 0 };
  for (const place of lineage(command)) {
    const values = place.opts();
    for (const name of NAMES) {
      if (place.getOptionValueSource(name) === 'cli') Object.assign(given, { [name]: values[name] });
    }
  }
  return given;
}

/** The words that name a command, without the program's: `repo check`. */
export function commandPath(command: Command): string {
  return lineage(command)
    .slice(1)
    .map((place) => place.name())
    .join(' ');
}

/** From the program down to the command. */
function lineage(command: Command): Command[] {
  return command.parent === null ? [command] : [...lineage(command.parent), command];
}
