import { type Id, shortId } from '@holdfast/engine';
import { formatTime } from '../format.ts';
import { signs } from '../style.ts';
import { printable } from '../width.ts';
import { renderTable } from './table.ts';

export interface KeyEntry {
  readonly id: Id;
  /** The one that opened the repository now. */
  readonly current: boolean;
  readonly user: string;
  readonly host: string;
  /** Milliseconds since the epoch. */
  readonly created: number;
}

const COLUMNS = [
  { title: '' },
  { title: 'key' },
  { title: 'user' },
  { title: 'host' },
  { title: 'created' },
] as const;

export function renderKeys(keys: readonly KeyEntry[], timeZone: string, width: number): string[] {
  const rows = keys.map((key) => [
    key.current ? signs.good : '',
    shortId(key.id),
    printable(key.user),
    printable(key.host),
    formatTime(key.created, timeZone),
  ]);
  return [...renderTable(COLUMNS, rows, width), '', `${signs.good} opened the repository now`];
}

export function keyRecord(key: KeyEntry): Record<string, unknown> {
  return { type: 'key', ...key };
}
