import { formatTime } from '../format.ts';
import { padStart, printable } from '../width.ts';

export interface Entry {
  readonly path: string;
  readonly type: 'file' | 'dir' | 'symlink' | 'dev' | 'chardev' | 'fifo' | 'socket' | 'irregular';
  /** st_mode's lower 12 bits. */
  readonly mode: number;
  /** By name where known, else the id. */
  readonly user: string;
  readonly group: string;
  /** Bytes; 0 for all but files. */
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly modified: number;
  readonly linkTarget?: string;
}

const TYPE_LETTERS = {
  file: '-',
  dir: 'd',
  symlink: 'l',
  dev: 'b',
  chardev: 'c',
  fifo: 'p',
  socket: 's',
  irregular: '?',
} as const;

/** The path, or with `long` a line as `ls -l` prints it: rows arrive one by one, so columns have fixed widths. */
export function renderEntry(entry: Entry, long: boolean, timeZone: string): string {
  if (!long) return printable(entry.path);
  const owner = printable(`${entry.user}:${entry.group}`).padEnd(15);
  const size = padStart(entry.size.toString(), 12);
  const target = entry.linkTarget === undefined ? '' : ` -> ${printable(entry.linkTarget)}`;
  return `${modeText(entry)} ${owner} ${size} ${padStart(formatTime(entry.modified, timeZone), 24)} ${printable(entry.path)}${target}`;
}

function modeText(entry: Entry): string {
  const bits = [...'rwxrwxrwx'].map((letter, index) => ((entry.mode >> (8 - index)) & 1 ? letter : '-'));
  const special = (bit: number, index: number, letter: string) => {
    if ((entry.mode & bit) !== 0) bits[index] = bits[index] === 'x' ? letter : letter.toUpperCase();
  };
  special(0o4000, 2, 's');
  special(0o2000, 5, 's');
  special(0o1000, 8, 't');
  return TYPE_LETTERS[entry.type] + bits.join('');
}
