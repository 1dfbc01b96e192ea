/** The engine as the app and other programs see it. What is not exported here is nobody else's business. */
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
