import type { JournalPlace } from '../../../journal/slice.ts';
import { type StoredSlice, tagValue } from '../../../journal/slice-list.ts';
import { PARTIAL } from '../../../journal/spool-files.ts';
import type { WalFileFound } from '../wal/coverage.ts';
import { formatLsn, type Lsn, parseLsn } from '../wal/lsn.ts';

/** Where the journal of a system lies in a repository. */
export function walPlace(systemId: string): JournalPlace {
  return { source: 'postgres', directory: ['postgres', systemId, 'wal'] };
}

/**
 * How far the partial segments of a slice reach, as tags: `reach:<name>=<LSN>`. All else about a slice is told by the
 * names of its files.
 */
export function reachTags(reaches: ReadonlyMap<string, Lsn>): string[] {
  return [...reaches].map(([name, lsn]) => `reach:${name}=${formatLsn(lsn)}`);
}

/** What is in a slice, for `walCoverage`. */
export function walFilesOf(slice: StoredSlice): WalFileFound[] {
  const reaches = new Map(
    slice.tags.flatMap((tag) => {
      const [name, lsn] = tagValue({ tags: [tag] }, 'reach')?.split('=') ?? [];
      return name === undefined || lsn === undefined ? [] : [[name, parseLsn(lsn)] as const];
    }),
  );
  return slice.files.map((node) => {
    const name = node.name.toString();
    const to = name.endsWith(PARTIAL) ? reaches.get(name) : undefined;
    return to === undefined ? { name } : { name, to };
  });
}

/** The tags that a roll-up of these slices keeps: how far the partial segments reach that are still in it. */
export function rolledUpTags(slices: readonly StoredSlice[]): string[] {
  const reaches = new Map<string, Lsn>();
  const whole = new Set<string>();
  for (const { name, to } of slices.flatMap(walFilesOf)) {
    if (to !== undefined) reaches.set(name, to);
    if (!name.endsWith(PARTIAL)) whole.add(name + PARTIAL);
  }
  for (const name of whole) reaches.delete(name);
  return reachTags(reaches);
}
