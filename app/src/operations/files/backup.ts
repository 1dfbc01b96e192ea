import {
  type BackupWatch,
  backupStream,
  backupFiles as backupTree,
  type CrewThreads,
  Failure,
  isFailure,
  openPosix,
  type Repository,
  type ScanProblem,
  type SnapshotSummary,
  type StoredSnapshot,
  startCrewThreads,
  summarize,
} from '@holdfast/engine';
import type { Work } from '../../cli/command-frame.ts';
import type { BackupFiles, BackupRequest } from '../../cli/commands/files/backup.ts';
import { formatBytes, formatCounted } from '../../cli/format.ts';
import type { BackupSummary } from '../../cli/render/backup-summary.ts';
import type { RepositoryAccess } from '../../cli/repository-options.ts';
import type { Traffic } from '../../cli/traffic.ts';
import { printable } from '../../cli/width.ts';
import type { Machine } from '../machine.ts';
import { type AccessMachine, type OpenedRepository, openAccess } from '../repository-access.ts';
import { chooseSnapshot } from '../snapshot-choice.ts';
import { type LabelMachine, labelsOf } from './snapshot-labels.ts';
import { readSelection } from './source-selection.ts';

export type BackupMachine = AccessMachine &
  LabelMachine &
  Pick<Machine, 'environment' | 'workingDirectory' | 'standardInput'>;

export function backupFiles(machine: BackupMachine): BackupFiles {
  return async (access, request, work) => {
    const unavailable = request.nice === undefined ? undefined : giveWay(request.nice);
    // The threads load their code while the password's key is derived on another core.
    const threads = startCrewThreads(request.readConcurrency);
    try {
      await using opened = await openForBackup(access, request, work, machine);
      const run = { access, request, work, machine, opened, threads, report: new Report(work, unavailable) };
      return await (request.stdin === true ? saveStream(run) : saveTree(run));
    } finally {
      await threads.stop();
    }
  };
}

interface Run {
  readonly access: RepositoryAccess;
  readonly request: BackupRequest;
  readonly work: Work;
  readonly machine: BackupMachine;
  readonly opened: OpenedRepository;
  readonly threads: CrewThreads;
  readonly report: Report;
}

function openForBackup(
  access: RepositoryAccess,
  request: BackupRequest,
  work: Work,
  machine: BackupMachine,
): Promise<OpenedRepository> {
  const { limitUpload, limitDownload, limitRequests } = request;
  const limits = {
    ...(limitUpload === undefined ? {} : { limitUpload }),
    ...(limitDownload === undefined ? {} : { limitDownload }),
    ...(limitRequests === undefined ? {} : { limitRequests }),
  };
  return openAccess(
    access,
    { intent: request.dryRun === true ? 'rehearse' : 'write', ...work, ...limits },
    machine,
  );
}

async function saveTree(run: Run): Promise<BackupSummary> {
  const { access, request, machine, opened, report } = run;
  const { repository, signal } = opened;
  const { paths, rules } = await readSelection(request, machine);
  const parent = await namedParent(repository, request, signal);
  const startedAt = machine.clock.now();
  let watch: BackupWatch | undefined;
  const result = await tellWhatIsKept(
    () => watch,
    () =>
      backupTree(repository, {
        ...commonOptions(run),
        paths: paths.map((path) => path.toString('latin1')),
        workingDirectory: machine.workingDirectory,
        selection: rules,
        ...(parent === undefined ? {} : { parent }),
        ...(access.cacheDirectory === undefined ? {} : { cacheDirectory: access.cacheDirectory }),
        force: request.force ?? false,
        withAtime: request.withAtime ?? false,
        ignoreInode: request.ignoreInode ?? false,
        ignoreCtime: request.ignoreCtime ?? false,
        onProblem: (problem) => report.add(problem),
        onStart: (started) => {
          watch = started;
          report.watch(started, startedAt);
        },
      }),
  );
  const { snapshot, counts, took } = result;
  return report.summary({
    snapshot,
    parent: result.parent,
    figures: snapshot?.summary ?? summarize(counts, startedAt, startedAt + took),
    milliseconds: took,
    traffic: opened.traffic(),
  });
}

async function saveStream(run: Run): Promise<BackupSummary> {
  const { request, machine, opened, report } = run;
  const startedAt = machine.clock.now();
  const { snapshot, counts, took } = await backupStream(opened.repository, {
    ...commonOptions(run),
    stream: machine.standardInput,
    name: request.stdinFilename,
    onStart: (session) => report.watch({ ...watchOf(session), expected: undefined }, startedAt),
  });
  const figures = snapshot?.summary ?? summarize(counts, startedAt, startedAt + took);
  return report.summary({
    snapshot,
    parent: undefined,
    figures,
    milliseconds: took,
    traffic: opened.traffic(),
  });
}

function watchOf(session: Pick<BackupWatch, 'counts' | 'currentPaths'>) {
  return { counts: () => session.counts(), currentPaths: () => session.currentPaths() };
}

function commonOptions({ access, request, machine, opened, threads }: Run) {
  return {
    clock: machine.clock,
    labels: labelsOf(request, machine),
    dryRun: request.dryRun ?? false,
    compression: request.compression,
    threads,
    retryLock: access.retryLock,
    signal: opened.signal,
  };
}

async function namedParent(
  repository: Repository,
  request: BackupRequest,
  signal: AbortSignal,
): Promise<StoredSnapshot | undefined> {
  if (request.parent === undefined) return undefined;
  return (await chooseSnapshot(repository, request.parent, {}, signal)).snapshot;
}

/** What a person hears of a backup: its progress, what it could not read, its end. */
class Report {
  readonly #work: Work;
  readonly #unreadable: { path: string; message: string }[] = [];
  readonly #changed: string[] = [];
  readonly #notKept: string[] = [];

  constructor(work: Work, notKept: string | undefined) {
    this.#work = work;
    if (notKept !== undefined) this.#notKept.push(notKept);
  }

  add({ kind, path, message }: ScanProblem): void {
    if (kind === 'changed') this.#changed.push(path);
    else if (kind === 'unreadable' || kind === 'incomplete') {
      this.#unreadable.push({ path, message });
    }
    // What vanished before it was looked at was not there: nothing is missing.
    if (kind === 'unreadable')
      this.#work.progress.note(`Cannot read ${printable(path)}: ${printable(message)}`);
  }

  watch(watch: BackupWatch, startedAt: number): void {
    this.#work.progress.watch(() => {
      const counts = watch.counts();
      const { expected } = watch;
      return {
        phase: 'Saving',
        startedAt,
        files: counts.filesNew + counts.filesChanged + counts.filesUnmodified,
        bytes: counts.bytesProcessed,
        ...(expected === undefined ? {} : { totalFiles: expected.files, totalBytes: expected.bytes }),
        errors: this.#unreadable.length,
        items: watch.currentPaths(),
      };
    });
  }

  summary(result: {
    readonly snapshot: StoredSnapshot | undefined;
    readonly parent: StoredSnapshot | undefined;
    readonly figures: SnapshotSummary;
    readonly milliseconds: number;
    readonly traffic: Traffic;
  }): BackupSummary {
    const { snapshot, parent, figures, milliseconds, traffic } = result;
    return {
      ...(snapshot === undefined ? {} : { snapshot: snapshot.id }),
      ...(parent === undefined ? {} : { parent: parent.id }),
      figures,
      milliseconds,
      traffic,
      unreadable: this.#unreadable,
      changedWhileRead: this.#changed,
      notKept: this.#notKept,
    };
  }
}

/** Whoever stops a backup wants to know what that cost them. */
async function tellWhatIsKept<Result>(
  watch: () => BackupWatch | undefined,
  save: () => Promise<Result>,
): Promise<Result> {
  try {
    return await save();
  } catch (error) {
    const counts = watch()?.counts();
    if (!isFailure(error, 'interrupted') || counts === undefined) throw error;
    const files = formatCounted(counts.filesNew + counts.filesChanged + counts.filesUnmodified, 'file');
    throw new Failure('interrupted', error.message, {
      hint:
        `No snapshot was written. ${files} were looked at; of their content ${formatBytes(counts.dataPacked)} are ` +
        'in the repository and will not be stored again: run the same command to go on.',
      cause: error,
    });
  }
}

/** Lowers the priority of this process and of the threads that it starts from now on. */
function giveWay(nice: number): string | undefined {
  const { lowerPriority, unavailable } = openPosix();
  if (lowerPriority === undefined) return `The priority was not lowered: ${unavailable}`;
  lowerPriority({ nice, io: 'low' });
  return undefined;
}
