import { goString } from './go-json.ts';
import { parseTime } from './go-time.ts';
import { countField, flagField, parseRecord, textField } from './json-shape.ts';
import type { LockFile } from './types.ts';

/** The JSON of a lock file, as restic writes it. */
export function encodeLock(lock: LockFile): Buffer {
  const { time, exclusive, hostname, username, pid, uid, gid } = lock;
  let json = `{"time":${goString(time)},"exclusive":${exclusive}`;
  json += `,"hostname":${goString(hostname)},"username":${goString(username)},"pid":${pid}`;
  if (uid !== 0) json += `,"uid":${uid}`;
  if (gid !== 0) json += `,"gid":${gid}`;
  return Buffer.from(`${json}}`);
}

/** Reads the JSON of a lock file; one without a time, by which its age is told, is `repository.damaged`. */
export function decodeLock(json: Uint8Array): LockFile {
  const record = parseRecord(json, 'the lock file');
  const time = textField(record, 'time');
  parseTime(time);
  return {
    time,
    exclusive: flagField(record, 'exclusive'),
    hostname: textField(record, 'hostname'),
    username: textField(record, 'username'),
    pid: countField(record, 'pid'),
    uid: countField(record, 'uid'),
    gid: countField(record, 'gid'),
  };
}
