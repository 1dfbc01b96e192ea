import { readSync, writeSync } from 'node:fs';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { decodeUnpacked } from '../../format/compression.ts';
import {
  RECORD_PLACE,
  RECORD_TREE,
  RECORD_WORDS,
  type ScannedIndex,
  scanIndexFile,
} from '../../format/index-scan.ts';
import { MAC_LENGTH, SEAL_OVERHEAD, Sealer } from '../../format/sealing.ts';
import { isFailure } from '../../kernel/failure.ts';
import { sha256Id } from '../../kernel/hash.ts';
import { releaseMemory } from '../../kernel/released-memory.ts';
import { BlobTable } from '../blob-table.ts';
import { bytesOf, LONGEST_PIECE } from './pieces.ts';
import type {
  FromIndexWorker,
  IndexAnswers,
  IndexTask,
  IndexWorkerBirth,
  ToIndexWorker,
} from './protocol.ts';

class IndexWorker {
  readonly #sealer: Sealer;
  readonly #sealed = Buffer.alloc(LONGEST_PIECE + SEAL_OVERHEAD);
  readonly #scanned = new Map<number, Uint32Array<ArrayBuffer>>();
  #table = BlobTable.create(0);

  constructor({ key }: IndexWorkerBirth) {
    this.#sealer = new Sealer(key);
  }

  attach(message: Extract<ToIndexWorker, { kind: 'attach' }>): void {
    this.#table = BlobTable.attach(message.table);
  }

  answer(task: IndexTask, ticket: number): IndexAnswers[IndexTask['kind']] {
    switch (task.kind) {
      case 'scan':
        return this.#scan(task, ticket);
      case 'add':
        return this.#add(task);
      case 'save':
        return this.#save(task);
      case 'restore':
        return this.#restore(task);
    }
  }

  #scan({ name, sealed }: Extract<IndexTask, { kind: 'scan' }>, ticket: number): IndexAnswers['scan'] {
    const scanned = sha256Id(sealed) === name ? this.#open(sealed) : undefined;
    releaseMemory(sealed);
    if (scanned === undefined) return undefined;
    const { packs, records, marks } = scanned;
    this.#scanned.set(ticket, records);
    return { packs, marks, blobs: records.length / RECORD_WORDS };
  }

  #open(sealed: Uint8Array): ScannedIndex | undefined {
    const plaintext = this.#sealer.tryOpen(sealed);
    if (plaintext === undefined) return undefined;
    try {
      const json = decodeUnpacked(plaintext);
      const scanned = scanIndexFile(json);
      // All that it was decompressed into, which may be more. Nobody else has a part of it, unless it is of the small ones.
      if (json.buffer instanceof ArrayBuffer && json.length >= Buffer.poolSize)
        releaseMemory(new Uint8Array(json.buffer));
      return scanned;
    } catch (error) {
      if (isFailure(error)) return undefined;
      throw error;
    } finally {
      releaseMemory(plaintext);
    }
  }

  #add({ scan, numbers }: Extract<IndexTask, { kind: 'add' }>): IndexAnswers['add'] {
    const records = this.#scanned.get(scan) ?? new Uint32Array(0);
    this.#scanned.delete(scan);
    const copies: number[] = [];
    for (let at = 0; at < records.length; at += RECORD_WORDS) {
      const place = records[at + RECORD_PLACE] as number;
      const pack = numbers[place % RECORD_TREE] as number;
      records[at + RECORD_PLACE] = place >= RECORD_TREE ? RECORD_TREE + pack : pack;
      const entry = this.#table.add(records, at);
      if (entry >= 0) copies.push(entry, pack, ...records.subarray(at + RECORD_PLACE + 1, at + RECORD_WORDS));
    }
    records.buffer.transfer(0);
    return Uint32Array.from(copies);
  }

  #save({ descriptor, piece }: Extract<IndexTask, { kind: 'save' }>): IndexAnswers['save'] {
    const length = this.#sealer.sealInto(bytesOf(this.#table.shared, piece), this.#sealed, 0);
    for (let at = 0; at < length; )
      at += writeSync(descriptor, this.#sealed, at, length - at, piece.position + at);
    // By itself: with a part of a buffer, all of the buffer would be sent.
    return new Uint8Array(this.#sealed.subarray(length - MAC_LENGTH, length));
  }

  #restore({ descriptor, piece, mac }: Extract<IndexTask, { kind: 'restore' }>): IndexAnswers['restore'] {
    const sealed = this.#sealed.subarray(0, piece.length + SEAL_OVERHEAD);
    for (let at = 0; at < sealed.length; ) {
      const read = readSync(descriptor, sealed, at, sealed.length - at, piece.position + at);
      if (read === 0) return false;
      at += read;
    }
    if (!sealed.subarray(-MAC_LENGTH).equals(mac)) return false;
    const plaintext = this.#sealer.tryOpen(sealed);
    if (plaintext === undefined) return false;
    bytesOf(this.#table.shared, piece).set(plaintext);
    releaseMemory(plaintext);
    return true;
  }
}

function work(port: MessagePort, birth: IndexWorkerBirth): void {
  const worker = new IndexWorker(birth);
  port.on('message', (message: ToIndexWorker) => {
    if (message.kind === 'attach') return worker.attach(message);
    const { ticket } = message;
    port.postMessage({ ticket, answer: worker.answer(message, ticket) } satisfies FromIndexWorker);
  });
}

if (parentPort === null) throw new Error('this module is a worker thread');
work(parentPort, workerData as IndexWorkerBirth);
