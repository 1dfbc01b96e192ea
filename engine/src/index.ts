/** The engine as the app and other programs see it. What is not exported here is nobody else's business. */
export type { BackupResult, BackupWatch } from './archive/backup/backup.ts';
export { backupFiles } from './archive/backup/backup.ts';
export type { Counts } from './archive/backup/counters.ts';
export type { CrewThreads } from './archive/backup/crew-threads.ts';
export { startCrewThreads } from './archive/backup/crew-threads.ts';
export type { ScanProblem } from './archive/backup/protocol.ts';
export type { SnapshotLabels } from './archive/backup/snapshot-summary.ts';
export { describeSnapshot, summarize } from './archive/backup/snapshot-summary.ts';
export { backupStream } from './archive/backup/stream-backup.ts';
export type { WriteAccess } from './archive/backup/write-lock.ts';
export { withWriteLock } from './archive/backup/write-lock.ts';
export { WritingSession } from './archive/backup/writing-session.ts';
export type { Change, DiffFigures, DiffOptions, DiffProblem, DiffStatistics } from './archive/browse/diff.ts';
export { diffTrees } from './archive/browse/diff.ts';
export type { Dump } from './archive/browse/dump.ts';
export { dumpPath } from './archive/browse/dump.ts';
export type { FoundNode, NameQuery } from './archive/browse/find-names.ts';
export { findNames } from './archive/browse/find-names.ts';
export type { FoundObject, ObjectQuery } from './archive/browse/find-objects.ts';
export { findObjects } from './archive/browse/find-objects.ts';
export type { ListOptions } from './archive/browse/list.ts';
export { listTree } from './archive/browse/list.ts';
export { modeText } from './archive/browse/mode-text.ts';
export {
  changeJson,
  foundNodesJson,
  foundObjectsJson,
  listedJson,
  snapshotJson,
  statisticsJson,
} from './archive/browse/restic-json.ts';
export type { SearchResult } from './archive/browse/snapshot-search.ts';
export type { TarOptions } from './archive/browse/tar-stream.ts';
export type { EntryStep, ProblemStep } from './archive/browse/tree-walk.ts';
export type { Root, SelectionRules } from './archive/filter/exclude.ts';
export type { PatternFile } from './archive/filter/exclude-flags.ts';
export { selectionRules } from './archive/filter/exclude-flags.ts';
export { parseFilesFrom, parseFilesFromRaw, parseFilesFromVerbatim } from './archive/filter/files-from.ts';
export { expandGlob } from './archive/filter/glob.ts';
export type { PathText } from './archive/filter/path-text.ts';
export { pathBytes, pathText } from './archive/filter/path-text.ts';
export type { DeletionPlan } from './archive/restore/deletion.ts';
export { executeDeletion, planDeletion } from './archive/restore/deletion.ts';
export type { NotKept, RestoreProblem } from './archive/restore/problem.ts';
export type { RestoreWatch } from './archive/restore/restore.ts';
export { restoreSnapshot } from './archive/restore/restore.ts';
export type { Address } from './backend/address.ts';
export { parseAddress } from './backend/address.ts';
export type { Backend, ByteRange, FileStat, FileType, Handle, ListedFile } from './backend/backend.ts';
export { CONFIG } from './backend/backend.ts';
export { createBackend, openBackend } from './backend/registry.ts';
export { dryRun } from './backend/wrap/dry-run.ts';
export { limit } from './backend/wrap/limit.ts';
export { meter } from './backend/wrap/meter.ts';
export { readOnly } from './backend/wrap/read-only.ts';
export { retry } from './backend/wrap/retry.ts';
export type { Chunker } from './chunker/chunker.ts';
export { createFixedChunker } from './chunker/fixed.ts';
export { createChunker } from './chunker/gear.ts';
export type { Node, NodeType, SnapshotSummary, StoredSnapshot } from './format/types.ts';
export type { Clock, Random } from './kernel/clock.ts';
export { systemClock } from './kernel/clock.ts';
export type { FailureCode, FailureDetails } from './kernel/failure.ts';
export { Failure, failureTable, isFailure } from './kernel/failure.ts';
export type { Finding } from './kernel/finding.ts';
export type { Id } from './kernel/id.ts';
export { bytesFromId, idFromBytes, isId, shortId } from './kernel/id.ts';
export type { PageRules, PageSums } from './kernel/page-sums.ts';
export { createPageSums } from './kernel/page-sums.ts';
export type { Posix } from './kernel/posix/posix.ts';
export { openPosix } from './kernel/posix/posix.ts';
export { printableName } from './kernel/printable-name.ts';
export { checkRepository } from './repository/check/check.ts';
export type { CheckFinding, CheckProgress, CheckReport, ReadData } from './repository/check/report.ts';
export { forgetSnapshots } from './repository/forget.ts';
export type { ForgetGroup, KeptSnapshot } from './repository/forget-plan.ts';
export { planForget } from './repository/forget-plan.ts';
export type { IndexedRepository } from './repository/indexed-repository.ts';
export type { KeepPolicy, Period } from './repository/keep-policy.ts';
export type { ListedKey } from './repository/keys.ts';
export { addKey, changePassword, listKeys, removeKey } from './repository/keys.ts';
export { beginLock, listLocks, removeLocks, takeLock } from './repository/locks.ts';
export { createRepository, openRepository } from './repository/open.ts';
export type { PruneProgress } from './repository/prune/prune.ts';
export { pruneRepository } from './repository/prune/prune.ts';
export type { PrunePlan } from './repository/prune/prune-plan.ts';
export type { Repository } from './repository/repository.ts';
export type { Grouping, SnapshotGroupKey } from './repository/snapshot-group.ts';
export { groupSnapshots } from './repository/snapshot-group.ts';
export type { SnapshotFilter, SnapshotReference } from './repository/snapshot-selection.ts';
export {
  filterSnapshots,
  parseSnapshotReference,
  parseTagLists,
  resolveFolder,
  selectSnapshot,
} from './repository/snapshot-selection.ts';
export type { Stats, StatsMode } from './repository/stats.ts';
export { computeStats } from './repository/stats.ts';
