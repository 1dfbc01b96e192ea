/** The engine as the app and other programs see it. What is not exported here is nobody else's business. */

export type { Change, DiffFigures, DiffOptions, DiffProblem, DiffStatistics } from './archive/browse/diff.ts';
export { diffTrees } from './archive/browse/diff.ts';
export { type Dump, dumpPath } from './archive/browse/dump.ts';
export { type FoundNode, findNames, type NameQuery } from './archive/browse/find-names.ts';
export { type FoundObject, findObjects, type ObjectQuery } from './archive/browse/find-objects.ts';
export { type ListOptions, listTree } from './archive/browse/list.ts';
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
export { type PathText, pathBytes, pathText } from './archive/filter/path-text.ts';
export type {
  Backend,
  ByteRange,
  FileStat,
  FileType,
  Handle,
  ListedFile,
} from './backend/backend.ts';
export { CONFIG } from './backend/backend.ts';
export type { Node, NodeType, SnapshotSummary, StoredSnapshot } from './format/types.ts';
export type { Clock, Random } from './kernel/clock.ts';
export { systemClock } from './kernel/clock.ts';
export type { FailureCode, FailureDetails } from './kernel/failure.ts';
export { Failure, failureTable, isFailure } from './kernel/failure.ts';
export type { Finding } from './kernel/finding.ts';
export type { Id } from './kernel/id.ts';
export { bytesFromId, idFromBytes, isId, shortId } from './kernel/id.ts';
export type { Posix } from './kernel/posix/posix.ts';
export { openPosix } from './kernel/posix/posix.ts';
export { printableName } from './kernel/printable-name.ts';
export type { SnapshotFilter, SnapshotReference } from './repository/snapshot-selection.ts';
export {
  filterSnapshots,
  parseSnapshotReference,
  parseTagLists,
  resolveFolder,
  selectSnapshot,
} from './repository/snapshot-selection.ts';
