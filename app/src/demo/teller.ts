import { stripVTControlCharacters } from 'node:util';
import type { Stage } from '../cli/commands/demo.ts';
import { formatDuration } from '../cli/format.ts';
import type { Style } from '../cli/style.ts';
import { displayWidth, padEnd, printable } from '../cli/width.ts';
import type { Machine } from '../operations/machine.ts';

/** Where the text of a line begins, behind its number and its title. */
export const INDENT = 18;
/** Where `took 1.4 s` stands. */
const TOOK_AT = 82;
/** What starts this program: in a checkout it runs from its sources. */
export const PROGRAM = import.meta.filename.endsWith('.ts') ? './holdfast' : 'holdfast';

/** Who listens. */
type Reader = Pick<Machine, 'homeDirectory' | 'timeZone'>;

export type Teller = ReturnType<typeof tellOn>;

/** How every story lays out its lines: a number, a title, what happens, how long it took. */
export function tellOn({ style, tell }: Stage, { homeDirectory, timeZone }: Reader) {
  const line = (text = '') => tell(`${text}\n`);
  const home = (path: string) =>
    printable(path.startsWith(`${homeDirectory}/`) ? `~${path.slice(homeDirectory.length)}` : path);
  return {
    style: style satisfies Style,
    tell,
    line,
    /** The beginning of a line; what comes of it is told when it is known. */
    open(number: number | undefined, title: string) {
      tell(` ${number ?? ' '}  ${style.strong(padEnd(title, INDENT - 4))}`);
    },
    aside(title: string, text: string) {
      line(`    ${padEnd(title, INDENT - 4)}${text}`);
    },
    more(text: string) {
      line(' '.repeat(INDENT) + text);
    },
    /** The end of a line that has `from` cells already. */
    took(text: string, milliseconds: number, from = INDENT) {
      const room = TOOK_AT - from - displayWidth(stripVTControlCharacters(text));
      line(`${text}${' '.repeat(Math.max(1, room))}took ${formatDuration(milliseconds)}`);
    },
    /** `15:04:07.312`, in the zone of whoever listens. */
    clockTime(milliseconds: number) {
      const instant = Temporal.Instant.fromEpochMilliseconds(Math.floor(milliseconds));
      return instant.toZonedDateTimeISO(timeZone).toPlainTime().toString({ fractionalSecondDigits: 3 });
    },
    /** A path for people. */
    home,
    /** A path to be pasted into a shell. */
    shellWord(path: string) {
      return /^[\w./-]+$/.test(path) ? home(path) : `'${printable(path).replaceAll("'", `'\\''`)}'`;
    },
  };
}
