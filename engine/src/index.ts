/** The engine as the app and other programs see it. What is not exported here is nobody else's business. */
export type { PathText } from './archive/filter/path-text.ts';
export { pathBytes, pathText } from './archive/filter/path-text.ts';
export type { RestoreCounts } from './archive/restore/counters.ts';
export type { Deletion, DeletionOptions, DeletionPlan, DeletionSummary } from './archive/restore/deletion.ts';
export { executeDeletion, planDeletion } from './archive/restore/deletion.ts';
export type { Ownership } from './archive/restore/metadata.ts';
export type { Overwrite } from './archive/restore/overwrite.ts';
export type { NotKept, RestoreProblem } from './archive/restore/problem.ts';
export type { RestoreOptions, RestoreSummary, RestoreWatch } from './archive/restore/restore.ts';
export { restoreSnapshot } from './archive/restore/restore.ts';
export type { RestoreRules } from './archive/restore/selection.ts';
export type { RestoreSource } from './archive/restore/source.ts';
export type {
  Backend,
  ByteRange,
  FileStat,
  FileType,
  Handle,
  ListedFile,
} from './backend/backend.ts';
export { CONFIG } from './backend/backend.ts';
export type { SnapshotSummary, StoredSnapshot } from './format/types.ts';
export type { Clock, Random } from './kernel/clock.ts';
export { systemClock } from './kernel/clock.ts';
export type { FailureCode, FailureDetails } from './kernel/failure.ts';
export { Failure, failureTable, isFailure } from './kernel/failure.ts';
export type { Finding } from './kernel/finding.ts';
export type { Id } from './kernel/id.ts';
export { bytesFromId, idFromBytes, isId, shortId } from './kernel/id.ts';
export type { Posix } from './kernel/posix/posix.ts';
export { openPosix } from './kernel/posix/posix.ts';
