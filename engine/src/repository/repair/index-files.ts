import { decodeIndexFile, type IndexFile } from '../../format/index-file.ts';
import {
  RECORD_PLACE,
  RECORD_TREE,
  RECORD_WORDS,
  type ScannedIndex,
  scanIndexFile,
} from '../../format/index-scan.ts';
import type { IndexedPack, PackedBlob } from '../../format/types.ts';
import { mapConcurrently } from '../../kernel/concurrency.ts';
import type { Failure } from '../../kernel/failure.ts';
import { type Id, idFromBytes } from '../../kernel/id.ts';
import type { Repository } from '../repository.ts';
import { damageOf } from './damage.ts';

/** All index files by name, those that can be read and why the others cannot. */
export async function readIndexFiles(
  repository: Repository,
  signal?: AbortSignal,
): Promise<{ files: Map<string, IndexFile>; failures: Map<string, Failure> }> {
  const files = new Map<string, IndexFile>();
  const failures = new Map<string, Failure>();
  const { backend } = repository;
  await mapConcurrently(backend.list('index', signal), backend.connections, async ({ name }) => {
    try {
      const json = await repository.loadFile({ type: 'index', name }, signal);
      const scanned = scanIndexFile(json);
      files.set(name, scanned === undefined ? decodeIndexFile(json) : leanFile(scanned));
    } catch (error) {
      failures.set(name, damageOf(error));
    }
  });
  return { files, failures };
}

/** A file whose packs keep their blobs as numbers: a repair holds all files at once. */
function leanFile({ packs, records, marks }: ScannedIndex): IndexFile {
  const kept = records.slice();
  const lean: LeanPack[] = [];
  for (let number = 0, at = 0; number * 32 < packs.length; number += 1) {
    const from = at;
    while (at < kept.length && (kept[at + RECORD_PLACE] as number) % RECORD_TREE === number)
      at += RECORD_WORDS;
    lean.push(new LeanPack(idFromBytes(packs, number * 32), kept.subarray(from, at)));
  }
  const packsToDelete = marks === undefined ? [] : decodeIndexFile(marks).packsToDelete;
  return { packs: lean, packsToDelete, supersedes: [] };
}

/** 48 bytes a blob rather than some 200; the objects are made anew for whoever asks. */
class LeanPack implements IndexedPack {
  readonly id: Id;
  readonly #records: Uint32Array;

  constructor(id: Id, records: Uint32Array) {
    this.id = id;
    this.#records = records;
  }

  get blobs(): readonly PackedBlob[] {
    const blobs: PackedBlob[] = [];
    for (let at = 0; at < this.#records.length; at += RECORD_WORDS) blobs.push(this.#blobAt(at));
    return blobs;
  }

  #blobAt(at: number): PackedBlob {
    const records = this.#records;
    return {
      type: (records[at + RECORD_PLACE] as number) >= RECORD_TREE ? 'tree' : 'data',
      id: idFromBytes(new Uint8Array(records.buffer, records.byteOffset + at * 4, 32)),
      offset: records[at + RECORD_PLACE + 1] as number,
      length: records[at + RECORD_PLACE + 2] as number,
      uncompressedLength: records[at + RECORD_PLACE + 3] as number,
    };
  }
}
