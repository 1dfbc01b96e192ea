import type { BlobType, PackedBlob } from '../../format/types.ts';
import type { Finding } from '../../kernel/finding.ts';
import { type Id, shortId } from '../../kernel/id.ts';
import type { Index } from '../index.ts';

/** `data/<id>` or `tree/<id>`. */
export type BlobKey = string & { readonly __blobKey: unique symbol };

export function blobKey(type: BlobType, id: Id): BlobKey {
  return `${type}/${id}` as BlobKey;
}

/**
 * What a check has found so far, and which blobs each finding concerns. A blob that is stored more than once is lost
 * only when all its places are bad.
 */
export class Ledger {
  readonly findings: Finding[] = [];
  /** For each blob the numbers of the findings that cost it. */
  readonly #concerned = new Map<BlobKey, Set<number>>();
  /** Blobs that are gone whatever the index says: named nowhere, or of a content that makes no sense. */
  readonly #gone = new Set<BlobKey>();
  readonly #badPlaces = new Map<BlobKey, Set<string>>();
  readonly #badPacks = new Map<Id, Map<number, { blob: PackedBlob; why: string }>>();
  readonly #missing: Record<BlobType, Set<Id>> = { data: new Set(), tree: new Set() };

  /** Returns the finding's number. */
  add(finding: Finding): number {
    return this.findings.push(finding) - 1;
  }

  /** A finding that makes these places of a pack unreadable. */
  addForPack(pack: Id, blobs: readonly PackedBlob[], finding: Finding): void {
    const number = this.add(finding);
    for (const blob of blobs) this.#spoil(pack, blob, number);
  }

  /** A finding about a tree whose bytes are right and whose content is not. */
  addForTree(id: Id, finding: Finding): void {
    const key = blobKey('tree', id);
    this.#gone.add(key);
    this.#concern(key, this.add(finding));
  }

  /** A bad blob; all those of one pack become one finding in `close`. */
  damaged(pack: Id, blob: PackedBlob, why: string): void {
    const blobs = this.#badPacks.get(pack) ?? new Map<number, { blob: PackedBlob; why: string }>();
    this.#badPacks.set(pack, blobs);
    if (!blobs.has(blob.offset)) blobs.set(blob.offset, { blob, why });
  }

  /** A blob that a snapshot needs and the index does not name; all of a kind become one finding in `close`. */
  missing(type: BlobType, id: Id): void {
    this.#missing[type].add(id);
  }

  /** Whether a place has been found bad already. */
  isBad(pack: Id, blob: { readonly type: BlobType; readonly id: Id; readonly offset: number }): boolean {
    return this.#badPlaces.get(blobKey(blob.type, blob.id))?.has(placeOf(pack, blob.offset)) ?? false;
  }

  /** Makes findings of what was gathered. Called once, when nothing more comes. */
  close(): void {
    for (const [pack, blobs] of this.#badPacks) {
      const bad = [...blobs.values()];
      this.addForPack(
        pack,
        bad.map(({ blob }) => blob),
        damagedBlobs(pack, bad),
      );
    }
    for (const type of ['tree', 'data'] as const) {
      const ids = [...this.#missing[type]];
      if (ids.length === 0) continue;
      const number = this.add(missingBlobs(type, ids));
      for (const id of ids) {
        this.#gone.add(blobKey(type, id));
        this.#concern(blobKey(type, id), number);
      }
    }
  }

  /** The blobs that cannot be read from anywhere, each with the numbers of the findings that say so. */
  lost(index: Index): Map<BlobKey, ReadonlySet<number>> {
    const lost = new Map<BlobKey, ReadonlySet<number>>();
    for (const [key, findings] of this.#concerned) {
      const [type, id] = key.split('/') as [BlobType, Id];
      const isLost =
        this.#gone.has(key) ||
        index.lookupAll(type, id).every(({ pack, offset }) => this.isBad(pack, { type, id, offset }));
      if (isLost) lost.set(key, findings);
    }
    return lost;
  }

  #spoil(pack: Id, blob: PackedBlob, finding: number): void {
    const key = blobKey(blob.type, blob.id);
    const places = this.#badPlaces.get(key) ?? new Set<string>();
    places.add(placeOf(pack, blob.offset));
    this.#badPlaces.set(key, places);
    this.#concern(key, finding);
  }

  #concern(key: BlobKey, finding: number): void {
    const findings = this.#concerned.get(key) ?? new Set<number>();
    findings.add(finding);
    this.#concerned.set(key, findings);
  }
}

function placeOf(pack: Id, offset: number): string {
  return `${pack}@${offset}`;
}

function damagedBlobs(pack: Id, bad: readonly { blob: PackedBlob; why: string }[]): Finding {
  const reasons = new Map<string, number>();
  for (const { why } of bad) reasons.set(why, (reasons.get(why) ?? 0) + 1);
  const told = [...reasons].map(([why, count]) => `${count} ${why}`).join(', ');
  return {
    severity: 'error',
    code: 'pack.blob-damaged',
    subject: `pack ${shortId(pack)}`,
    message: `${bad.length === 1 ? 'A blob is' : `${bad.length} blobs are`} damaged in pack ${pack}: ${told}.`,
    hint: PACK_HINT,
  };
}

function missingBlobs(type: BlobType, ids: readonly Id[]): Finding {
  const some = ids.slice(0, 3).map(shortId).join(', ');
  const more = ids.length > 3 ? ', …' : '';
  return {
    severity: 'error',
    code: 'blob.missing',
    subject: `${ids.length} ${type} blobs`,
    message: `${ids.length} ${type} blobs that snapshots need are in no pack of the index: ${some}${more}.`,
    hint:
      'Are there packs that no index file names? holdfast repo repair index finds them. Otherwise a copy or the ' +
      'original files may have them: holdfast repo repair --from, --from-files.',
  };
}

/** A pack is named by the hash of its bytes: that makes any other copy of it as good as the one that was lost. */
export const PACK_HINT =
  'Look at the disk before anything is written to it again. Then holdfast repo repair brings back what a copy ' +
  '(--from) or the original files (--from-files) have of it.';
