import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { createChunker } from '../../chunker/gear.ts';
import { openCompressor } from '../../format/compressor.ts';
import { decodeTree } from '../../format/tree.ts';
import { openPosix } from '../../kernel/posix/posix.ts';
import { BlobTable } from '../../repository/blob-table.ts';
import { Packer } from '../../repository/packer.ts';
import { compileSelection } from '../filter/exclude.ts';
import { type BytePath, toText } from './byte-path.ts';
import { CounterRow } from './counters.ts';
import type { WorkerBirth } from './crew-threads.ts';
import { DirectoryJob } from './directory-job.ts';
import { type ListingRules, listDirectory, listGiven } from './directory-listing.ts';
import { EntryList } from './entry-list.ts';
import { FileReader, Interrupted, SEGMENT_BYTES } from './file-reader.ts';
import { NodeBuilder } from './node-builder.ts';
import { OpenedAhead, openQuietly } from './opened-ahead.ts';
import { type ParentDirectory, parentFromRecord, parentFromTree } from './parent-directory.ts';
import type {
  BlobsTask,
  DirectoryTask,
  FileOutcome,
  ScanProblem,
  SegmentResult,
  Task,
  TaskResult,
  ToWorker,
  WorkerSetup,
} from './protocol.ts';
import { RecordWriter } from './record-writer.ts';
import { ScanCache } from './scan-cache.ts';
import { Signals } from './signals.ts';
import { WorkStack } from './work-stack.ts';

/** Packs that one worker may have under way to the backend: one is being saved while the next is built. */
const UNSAVED_PACKS = 2;

/** Composes one worker thread of a backup and lets it work until it is told to stop. */
function work(port: MessagePort, signals: Signals, setup: WorkerSetup): void {
  const { worker, scan } = setup;
  const posix = openPosix();
  const counters = new CounterRow(setup.counters, worker);
  const table = BlobTable.attach(setup.table);
  const selection = compileSelection(scan.selection);
  const cache = scan.cache === undefined ? undefined : new ScanCache(scan.cache);
  const records = new RecordWriter((bytes) => stack.send({ type: 'records', bytes }, [bytes.buffer]));
  const compressor = openCompressor();
  const packer = new Packer({
    key: setup.key,
    table,
    version: setup.version,
    compression: setup.compression,
    compressor,
    packSize: setup.packSize,
    recycled: () => stack.takeBuffer(),
    deliver: (pack) => {
      signals.packDelivered(worker);
      stack.send({ type: 'pack', pack }, [pack.bytes.buffer, pack.layout.buffer]);
      stack.waitForSaves(UNSAVED_PACKS);
    },
  });
  const chunker = createChunker(setup.chunkerPolynomial);
  const interrupted = () => signals.stopped;
  const reader = new FileReader({ chunker, packer, counters, holes: posix.holes, interrupted });
  const nodes = new NodeBuilder(posix);
  const listing: ListingRules = {
    selection,
    withAtime: scan.withAtime,
    problem: reportMissing,
  };
  const stack = new WorkStack({
    worker,
    port,
    signals,
    run,
    flush: () => {
      packer.flush();
      records.flush();
      stack.send({ type: 'flushed' });
    },
  });

  function run(task: Task, done: (result: TaskResult) => void): void {
    switch (task.kind) {
      case 'directory':
        runDirectory(task, done);
        break;
      case 'files':
        done({ kind: 'files', files: readFiles(task.paths) });
        break;
      case 'segment':
        done(readSegment(task.path, task.offset));
        break;
      case 'blobs':
        done({ kind: 'blobs', ids: saveBlobs(task) });
        break;
    }
  }

  function runDirectory(task: DirectoryTask, done: (result: TaskResult) => void): void {
    counters.at(task.path);
    let found: ReturnType<typeof listDirectory>;
    try {
      found = task.given === undefined ? listDirectory(task.path, listing) : listGiven(task.given, listing);
    } catch (error) {
      reportMissing(task.path, error);
      done({ kind: 'directory' });
      return;
    }
    const remember = (tree: Buffer, entries: Buffer, contents: Buffer) => {
      // An assembled level is no directory of the disk: next time other paths may be asked for.
      if (task.given === undefined) records.add(task.path, { treeId: tree, entries, contents });
    };
    const tools = {
      table,
      packer,
      counters,
      nodes,
      trust: scan,
      push: stack.push.bind(stack),
      readFiles,
      remember,
      report,
    };
    new DirectoryJob({ listing: found, parent: parentOf(task), tools, done }).start();
  }

  function parentOf(task: DirectoryTask): ParentDirectory | undefined {
    const record = task.given === undefined ? cache?.find(task.path) : undefined;
    if (record !== undefined) return parentFromRecord(record);
    if (task.parentTree === undefined) return undefined;
    stack.send({ type: 'load-tree', id: task.parentTree });
    const bytes = stack.waitForTree();
    if (bytes === undefined) return undefined;
    try {
      return parentFromTree(task.parentTree, decodeTree(bytes).nodes);
    } catch {
      return undefined; // no tree that we understand: no help, but no reason to stop
    }
  }

  function readFiles(paths: readonly BytePath[]): FileOutcome[] {
    using files = new OpenedAhead(paths, posix.advice);
    return paths.map((path) => readFile(path, files));
  }

  function readFile(path: BytePath, files: OpenedAhead): FileOutcome {
    counters.at(path);
    try {
      const { ids, size, opened, changed } = reader.read(files.next(), 0, SEGMENT_BYTES);
      counters.add('bytesProcessed', size);
      // By the time it was opened it had grown beyond what is read at once.
      const cut = opened.size > BigInt(SEGMENT_BYTES);
      if (changed || cut) report('changed', path, undefined);
      return { ids, size, opened: EntryList.of([{ name: '', stat: opened }], scan.withAtime).bytes };
    } catch (error) {
      if (error instanceof Interrupted) throw error;
      reportMissing(path, error);
      return { size: 0 };
    }
  }

  function readSegment(path: BytePath, offset: number): SegmentResult {
    counters.at(path);
    try {
      const { ids, size, opened, changed } = reader.read(openQuietly(path), offset, SEGMENT_BYTES);
      counters.add('bytesProcessed', size);
      return {
        kind: 'segment',
        ids,
        size,
        changed,
        opened: EntryList.of([{ name: '', stat: opened }]).bytes,
      };
    } catch (error) {
      if (error instanceof Interrupted) throw error;
      return { kind: 'segment', size: 0, changed: false, code: codeOf(error), message: wordsOf(error) };
    }
  }

  function saveBlobs(task: BlobsTask): Buffer {
    const ids: Buffer[] = [];
    let start = 0;
    for (const end of task.ends) {
      const { id, added, packed } = packer.save(task.type, new Uint8Array(task.buffer, start, end - start));
      if (packed > 0) {
        counters.add(task.type === 'data' ? 'dataBlobs' : 'treeBlobs', 1);
        counters.add(task.type === 'data' ? 'dataAdded' : 'treeAdded', added);
        counters.add(task.type === 'data' ? 'dataPacked' : 'treePacked', packed);
      }
      ids.push(id);
      start = end;
    }
    return Buffer.concat(ids);
  }

  function reportMissing(path: BytePath, error: unknown): void {
    report(codeOf(error) === 'ENOENT' ? 'vanished' : 'unreadable', path, error);
  }

  function report(kind: ScanProblem['kind'], path: BytePath, error: unknown): void {
    if (kind === 'unreadable') counters.add('problems', 1);
    stack.send({
      type: 'problem',
      problem: { kind, path: toText(path), code: codeOf(error), message: wordsOf(error) },
    });
  }

  try {
    stack.loop();
  } catch (error) {
    stack.send({ type: 'crashed', error });
  }
  compressor.close();
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code;
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : '';
}

/** Sleeps until there is something to set up for; undefined when there will be nothing. */
function awaitSetup(port: MessagePort, signals: Signals, worker: number): WorkerSetup | undefined {
  for (;;) {
    const seen = signals.wakeNumber(worker);
    const first = receiveMessageOnPort(port)?.message as ToWorker | undefined;
    if (first?.type === 'setup') return first.setup;
    if (signals.stopped) return undefined;
    signals.sleep(worker, seen);
  }
}

function main(port: MessagePort, birth: WorkerBirth): void {
  const signals = new Signals(birth.signals);
  const setup = awaitSetup(port, signals, birth.worker);
  if (setup !== undefined) work(port, signals, setup);
  port.close();
}

if (parentPort === null) throw new Error('this module is a worker thread');
main(parentPort, workerData as WorkerBirth);
