import { decompress } from '../../format/compression.ts';
import type { PackedBlob } from '../../format/types.ts';
import { mapConcurrently } from '../../kernel/concurrency.ts';
import { sha256Id } from '../../kernel/hash.ts';
import type { Id } from '../../kernel/id.ts';
import type { IndexedRepository } from '../indexed-repository.ts';
import { endOf, runsOf, startOf } from '../transfer/blob-runs.ts';
import type { TakeBlob, WantedBlob } from './blob-source.ts';
import { damageOf } from './damage.ts';

/**
 * Fetches many blobs: neighbours in a pack with one read, as many reads at once as there are connections. What is not
 * right in its first place is looked for in the others, by itself.
 */
export async function fetchBlobs(
  indexed: IndexedRepository,
  wanted: readonly WantedBlob[],
  take: TakeBlob,
  signal: AbortSignal,
): Promise<void> {
  const { backend } = indexed.repository;
  await mapConcurrently(runsIn(indexed, wanted), backend.connections, async ({ pack, run }) => {
    const bytes = await loadRun(indexed, pack, run, signal);
    for (const blob of run) {
      await take(blob, contentIn(indexed, run, blob, bytes) ?? (await loadAlone(indexed, blob, signal)));
    }
  });
}

/** A blob's plaintext, from whichever of its places has it; undefined where none does. */
export async function loadAlone(
  indexed: IndexedRepository,
  { type, id }: WantedBlob,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  if (!indexed.index.has(type, id)) return undefined;
  try {
    return await indexed.loadBlob(type, id, signal);
  } catch (error) {
    damageOf(error);
    return undefined;
  }
}

interface Run {
  readonly pack: Id;
  readonly run: readonly PackedBlob[];
}

function* runsIn({ index }: IndexedRepository, wanted: readonly WantedBlob[]): Generator<Run> {
  const byPack = new Map<Id, PackedBlob[]>();
  for (const { type, id } of wanted) {
    const place = index.lookup(type, id);
    if (place === undefined) continue;
    const { pack, offset, length, uncompressedLength } = place;
    const blobs = byPack.get(pack) ?? [];
    byPack.set(pack, blobs);
    blobs.push({ type, id, offset, length, uncompressedLength });
  }
  for (const [pack, blobs] of byPack) {
    for (const run of runsOf(blobs.sort((a, b) => a.offset - b.offset))) yield { pack, run };
  }
}

async function loadRun(
  { repository: { backend } }: IndexedRepository,
  pack: Id,
  run: readonly PackedBlob[],
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  const offset = startOf(run);
  try {
    return await backend.load({ type: 'pack', name: pack }, { offset, length: endOf(run) - offset }, signal);
  } catch (error) {
    damageOf(error);
    return undefined;
  }
}

/** Undefined when it is not what its id says. */
function contentIn(
  { repository: { sealer } }: IndexedRepository,
  run: readonly PackedBlob[],
  { id, offset, length, uncompressedLength }: PackedBlob,
  bytes: Uint8Array | undefined,
): Uint8Array | undefined {
  const start = offset - startOf(run);
  const stored = bytes === undefined ? undefined : sealer.tryOpen(bytes.subarray(start, start + length));
  if (stored === undefined) return undefined;
  try {
    const content = uncompressedLength > 0 ? decompress(stored, uncompressedLength) : stored;
    return sha256Id(content) === id ? content : undefined;
  } catch (error) {
    damageOf(error);
    return undefined;
  }
}
