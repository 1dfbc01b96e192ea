import { goString } from './go-json.ts';
import { parseTime } from './go-time.ts';
import {
  asRecord,
  countField,
  idField,
  type JsonRecord,
  optionalIdField,
  parseRecord,
  textField,
  textListField,
} from './json-shape.ts';
import type { Snapshot, SnapshotSummary } from './types.ts';

/** The figures of a summary, with their names in the file, in restic's order. */
const FIGURES = [
  ['filesNew', 'files_new'],
  ['filesChanged', 'files_changed'],
  ['filesUnmodified', 'files_unmodified'],
  ['dirsNew', 'dirs_new'],
  ['dirsChanged', 'dirs_changed'],
  ['dirsUnmodified', 'dirs_unmodified'],
  ['dataBlobs', 'data_blobs'],
  ['treeBlobs', 'tree_blobs'],
  ['dataAdded', 'data_added'],
  ['dataAddedPacked', 'data_added_packed'],
  ['totalFilesProcessed', 'total_files_processed'],
  ['totalBytesProcessed', 'total_bytes_processed'],
] as const satisfies readonly (readonly [keyof SnapshotSummary, string])[];

/** The JSON of a snapshot file: restic's fields in restic's order, without what is empty. */
export function encodeSnapshot(snapshot: Snapshot): Buffer {
  const { time, parent, tree, paths, hostname, username, uid, gid, excludes, tags } = snapshot;
  const { original, programVersion, summary } = snapshot;
  let json = `{"time":${goString(time)}`;
  if (parent !== undefined) json += `,"parent":"${parent}"`;
  json += `,"tree":"${tree}","paths":${encodeTexts(paths)}`;
  if (hostname !== '') json += `,"hostname":${goString(hostname)}`;
  if (username !== '') json += `,"username":${goString(username)}`;
  if (uid !== 0) json += `,"uid":${uid}`;
  if (gid !== 0) json += `,"gid":${gid}`;
  if (excludes.length > 0) json += `,"excludes":${encodeTexts(excludes)}`;
  if (tags.length > 0) json += `,"tags":${encodeTexts(tags)}`;
  if (original !== undefined) json += `,"original":"${original}"`;
  if (programVersion !== undefined) json += `,"program_version":${goString(programVersion)}`;
  if (summary !== undefined) json += `,"summary":${encodeSummary(summary)}`;
  return Buffer.from(`${json}}`);
}

/** Reads the JSON of a snapshot file. Fields that we do not know are ignored; no time or no tree is damage. */
export function decodeSnapshot(json: Uint8Array): Snapshot {
  const record = parseRecord(json, 'the snapshot file');
  const parent = optionalIdField(record, 'parent');
  const original = optionalIdField(record, 'original');
  const programVersion = textField(record, 'program_version');
  return {
    time: timeTextField(record, 'time'),
    ...(parent === undefined ? {} : { parent }),
    tree: idField(record, 'tree'),
    paths: textListField(record, 'paths'),
    hostname: textField(record, 'hostname'),
    username: textField(record, 'username'),
    uid: countField(record, 'uid'),
    gid: countField(record, 'gid'),
    excludes: textListField(record, 'excludes'),
    tags: textListField(record, 'tags'),
    ...(original === undefined ? {} : { original }),
    ...(programVersion === '' ? {} : { programVersion }),
    ...(record.summary === undefined || record.summary === null
      ? {}
      : { summary: decodeSummary(asRecord(record.summary, 'the summary of the snapshot')) }),
  };
}

function encodeSummary(summary: SnapshotSummary): string {
  const figures = FIGURES.map(([name, field]) => `"${field}":${summary[name]}`).join();
  return `{"backup_start":${goString(summary.backupStart)},"backup_end":${goString(summary.backupEnd)},${figures}}`;
}

/** For people to read only: nothing in it makes a snapshot unreadable but a wrong type. */
function decodeSummary(record: JsonRecord): SnapshotSummary {
  const figures = Object.fromEntries(FIGURES.map(([name, field]) => [name, countField(record, field)]));
  return {
    backupStart: textField(record, 'backup_start'),
    backupEnd: textField(record, 'backup_end'),
    ...(figures as Record<(typeof FIGURES)[number][0], number>),
  };
}

function encodeTexts(texts: readonly string[]): string {
  return `[${texts.map(goString).join()}]`;
}

/** A time is kept as its text, so that it comes out again with its offset; but it must be one. */
function timeTextField(record: JsonRecord, field: string): string {
  const text = textField(record, field);
  parseTime(text);
  return text;
}
