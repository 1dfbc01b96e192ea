import { closeSync, constants, openSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { openCompressor } from '../../format/compressor.ts';
import { Sealer } from '../../format/sealing.ts';
import { sha256 } from '../../kernel/hash.ts';
import { openPosix } from '../../kernel/posix/posix.ts';
import { BlobTable } from '../../repository/blob-table.ts';
import { toSystemPath, toText } from '../backup/byte-path.ts';
import { ContentReader } from './content.ts';
import { CounterRow } from './counters.ts';
import { Directories } from './directories.ts';
import { ExistingFiles } from './existing-files.ts';
import { FileWriter } from './file-writer.ts';
import { Ledger } from './ledger.ts';
import { Metadata } from './metadata.ts';
import { NotKeptTally } from './not-kept-tally.ts';
import { codeOf, isFatalForTarget, type RestoreProblem, wordsOf } from './problem.ts';
import {
  type DifferingFile,
  type FilesTask,
  type FromWorker,
  type PackRange,
  type PackTask,
  type Task,
  type ToWorker,
  USE_WORDS,
  type Uses,
  type WorkerSetup,
} from './protocol.ts';

/** Composes one worker thread of a restore and does what it is sent. */
function work(setup: WorkerSetup): void {
  const port = parentPort;
  if (port === null) throw new Error('this module is a worker thread');
  const send = (message: FromWorker) => port.postMessage(message);
  const stop = new Int32Array(setup.stop);
  const stopped = () => Atomics.load(stop, 0) !== 0;
  const table = BlobTable.attach(setup.table);
  const ledger = new Ledger(setup.ledger);
  const counters = new CounterRow(setup.counters, setup.worker);
  const directories = new Directories(ledger, setup.target);
  const sealer = new Sealer(setup.key);
  const compressor = openCompressor();
  const reader = new ContentReader(ledger, table);
  const posix = openPosix();
  const existing = new ExistingFiles({ ledger, directories, reader, attributes: posix.attributes, stopped });
  const tally = new NotKeptTally(counters, (kind, reason) => send({ type: 'not-kept', kind, reason }));
  const metadata = new Metadata({
    posix,
    ledger,
    ownership: setup.ownership,
    notKept: tally.add.bind(tally),
  });
  const writer = new FileWriter({
    ledger,
    directories,
    metadata,
    counters,
    sparse: setup.sparse,
    salvage: setup.salvage,
    problem: report,
  });

  function report(record: number, kind: RestoreProblem['kind'], message: string): void {
    counters.add('problems', 1);
    send({ type: 'problem', problem: { path: toText(ledger.pathOf(record)), kind, message } });
  }

  /** What a task has to answer. */
  function run(task: Task): DifferingFile[] {
    switch (task.kind) {
      case 'pack':
        writePack(task);
        return [];
      case 'plain':
        eachUse(task.uses, 0, task.uses.length, (record, offset) => writer.write(record, offset, task.bytes));
        return [];
      case 'give-up':
        eachUse(task.uses, 0, task.uses.length, (record) => writer.giveUp(record, task.reason));
        return [];
      default:
        return runFiles(task);
    }
  }

  function end(): void {
    writer.close();
    directories.close();
    compressor.close();
    port?.close();
  }

  /** Blobs that several files, or several places of one, share are opened once. */
  function writePack({ ranges, uses }: PackTask): void {
    for (let from = 0; from < uses.length && !stopped(); ) {
      const entry = uses[from] as number;
      let to = from + USE_WORDS;
      while (uses[to] === entry) to += USE_WORDS;
      const blob = openBlob(entry, ranges);
      if (typeof blob === 'string') send({ type: 'damaged', uses: uses.slice(from, to), reason: blob });
      else {
        eachUse(uses, from, to, (record, offset) => writer.write(record, offset, blob));
        release(blob);
      }
      from = to;
    }
    // Packs are large: their memory is given back at once, not when the collector gets to it.
    for (const { bytes } of ranges) bytes.buffer.transfer(0);
  }

  /** A blob's plaintext, or why it is not to be had. */
  function openBlob(entry: number, ranges: readonly PackRange[]): Uint8Array | string {
    const [offset, length] = [table.offsetOf(entry), table.lengthOf(entry)];
    const range = ranges.find(
      (each) => each.offset <= offset && offset + length <= each.offset + each.bytes.length,
    );
    if (range === undefined) return 'the index names bytes that the pack does not have';
    const stored = sealer.tryOpen(
      range.bytes.subarray(offset - range.offset, offset - range.offset + length),
    );
    if (stored === undefined) return 'the content does not match its authentication code';
    try {
      const uncompressed = table.uncompressedLengthOf(entry);
      const plaintext = uncompressed > 0 ? compressor.decompress(stored, uncompressed) : stored;
      if (plaintext !== stored) release(stored);
      return sha256(plaintext).equals(table.idBytes(entry))
        ? plaintext
        : 'the content is not what its name says';
    } catch (error) {
      return wordsOf(error);
    }
  }

  function runFiles({ kind, records }: FilesTask): DifferingFile[] {
    const differing: DifferingFile[] = [];
    for (const record of records) {
      if (stopped()) break;
      try {
        if (kind === 'make' && !ledger.isExisting(record)) writer.make(record);
        else if (kind === 'verify') verify(record);
        else differing.push(...adopt(record, kind !== 'compare'));
      } catch (error) {
        if (isFatalForTarget(error)) throw error;
        if (ledger.markDamaged(record))
          report(record, kind === 'verify' ? 'differs' : 'write', wordsOf(error));
      }
    }
    return differing;
  }

  function adopt(record: number, trusted: boolean): DifferingFile[] {
    const positions = existing.prepare(record, trusted);
    if (stopped()) return [];
    if (positions.length > 0) {
      ledger.setToCome(record, positions.length);
      return [{ record, positions: new Uint32Array(positions) }];
    }
    if (ledger.isExisting(record)) {
      counters.add('filesUnchanged', 1);
      writer.finishExisting(record);
    } else writer.make(record);
    return [];
  }

  function verify(record: number): void {
    if (ledger.isDamaged(record)) return;
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const descriptor = openSync(toSystemPath(directories.entry(record)), flags);
    try {
      const wrong = reader.differing(record, descriptor, stopped).length;
      if (wrong > 0) {
        report(record, 'differs', `${wrong} of its ${ledger.blobCount(record)} blobs read back otherwise`);
        return;
      }
      counters.add('filesVerified', 1);
      counters.add('bytesVerified', ledger.sizeOf(record));
    } finally {
      closeSync(descriptor);
    }
  }

  port.on('message', (task: ToWorker) => {
    try {
      if (task.kind === 'end') end();
      else send({ type: 'done', differing: run(task) });
    } catch (error) {
      send({ type: 'crashed', message: wordsOf(error), code: codeOf(error) });
    }
  });
}

/** Gives the memory of large contents back at once: the collector does not see how much hangs on a small object. */
function release({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength && byteLength >= LARGE_BYTES)
    buffer.transfer(0);
}

const LARGE_BYTES = 64 * 1024;

function eachUse(uses: Uses, from: number, to: number, act: (record: number, offset: number) => void): void {
  for (let at = from; at < to; at += USE_WORDS) {
    act(uses[at + 1] as number, (uses[at + 2] as number) + (uses[at + 3] as number) * 2 ** 32);
  }
}

work(workerData as WorkerSetup);
