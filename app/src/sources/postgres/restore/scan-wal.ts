import type { IndexedRepository } from '@holdfast/engine';
import { type WalMark, WalRecordReader } from '../wal/record-reader.ts';
import type { LineageFile } from './moment.ts';
import type { RecoveryTarget } from './recovery-settings.ts';

export interface WalScan {
  /** The first mark that was looked for. */
  readonly found?: WalMark;
  /** Where the last whole record begins and ends that was read; absent when there was none. */
  readonly last?: { readonly lsn: bigint; readonly end: bigint };
}

/** Reads the WAL of files that follow each other until a mark is what is looked for, or to the end of the records. */
export async function scanWal(
  indexed: IndexedRepository,
  files: readonly LineageFile[],
  segmentSize: number,
  wanted: (mark: WalMark) => boolean,
  signal?: AbortSignal,
): Promise<WalScan> {
  const [first] = files;
  if (first === undefined) return {};
  const reader = new WalRecordReader(first.from, segmentSize);
  const told = () => (reader.last === undefined ? {} : { last: reader.last });
  for (const { node } of files) {
    for await (const pages of contentOf(indexed, node.content ?? [], signal)) {
      for (const mark of reader.read(pages)) if (wanted(mark)) return { found: mark, ...told() };
      if (reader.ended) return told();
    }
  }
  return told();
}

/** Whether recovery stops at this mark: at a time it is the first end of a transaction after it. */
export function stopsAt(target: RecoveryTarget, inclusive: boolean): (mark: WalMark) => boolean {
  switch (target.kind) {
    case 'time': {
      const time = target.instant.epochNanoseconds / 1000n;
      return (mark) => mark.kind !== 'named' && (inclusive ? mark.time > time : mark.time >= time);
    }
    case 'xid': {
      // With the epoch in front of it, as pg_current_xact_id() has it, or without.
      const xid = Number(target.xid & 0xffff_ffffn);
      return (mark) => mark.kind !== 'named' && mark.xid === xid;
    }
    case 'name':
      return (mark) => mark.kind === 'named' && mark.name === target.name;
    default:
      return () => false;
  }
}

/** A few blobs ahead, since each is a way to the repository. Slices are cut at whole pages. */
async function* contentOf(
  indexed: IndexedRepository,
  content: readonly Parameters<IndexedRepository['loadBlob']>[1][],
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer> {
  const load = (position: number) => {
    const id = content[position];
    const loading = id === undefined ? undefined : indexed.loadBlob('data', id, signal);
    // Looked at when its turn comes, or never when what was looked for is found before.
    loading?.catch(() => undefined);
    return loading;
  };
  const ahead = Array.from({ length: AHEAD }, (_, position) => load(position));
  for (let position = 0; position < content.length; position++) {
    const bytes = await ahead.shift();
    ahead.push(load(position + AHEAD));
    if (bytes !== undefined) yield Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
}

const AHEAD = 4;
