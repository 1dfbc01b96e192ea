import { Failure, isFailure } from '@holdfast/engine';
import {
  literal,
  type ReplicationSession,
  type ReplyPart,
  type ReplyRow,
} from '../connection/replication-session.ts';
import { sqlStateOf } from '../connection/server-error.ts';
import { type Lsn, parseLsn } from '../wal/lsn.ts';

export interface BaseRequest {
  /** Stands in backup_label and in pg_stat_progress_basebackup's neighbours. */
  readonly label: string;
  /** `fast` begins at once with a checkpoint that the server feels; `spread` waits for the next one. */
  readonly checkpoint: 'fast' | 'spread';
  readonly manifestChecksums: 'CRC32C' | 'SHA256';
  /** The server's major version. */
  readonly major: number;
  /** KiB/s that the server sends at most. */
  readonly maxRate?: number;
  /** Go on to the end when the server says, as its last word, that it found damaged pages. */
  readonly acceptDamage?: boolean;
  /** Milliseconds without a byte, once the server has begun to send, after which it counts as gone. */
  readonly silenceLimit?: number;
  /** The manifest of an earlier base: of what was there then the server sends only pages changed since. From 17 on. */
  readonly since?: Uint8Array;
}

export interface Tablespace {
  readonly oid: number;
  /** On the server. */
  readonly location: string;
}

export interface LogPosition {
  readonly lsn: Lsn;
  readonly timeline: number;
}

/**
 * A base backup as it comes, in this order: `begin`, archives (the data directory's last), perhaps `manifest`, `end`. Each
 * buffer of `data` is there only until the next is asked for: what is to be kept is copied.
 */
export type BasePart =
  | {
      readonly kind: 'begin';
      readonly start: LogPosition;
      readonly tablespaces: readonly Tablespace[];
      /** Bytes that the server expects to send, without WAL. */
      readonly expectedBytes: number;
    }
  /** A tar stream; of the data directory when there is no tablespace. */
  | { readonly kind: 'archive'; readonly tablespace?: Tablespace; readonly data: AsyncIterable<Buffer> }
  | { readonly kind: 'manifest'; readonly data: AsyncIterable<Buffer> }
  | { readonly kind: 'end'; readonly end: LogPosition; readonly damageTold: boolean };

/**
 * Runs BASE_BACKUP with all WAL that makes the base consistent. From 15 on one stream holds all archives, its messages
 * marked by a letter; before, each archive is a stream of its own, and the last one is the manifest, which 12 does not have.
 */
export async function* baseBackup(
  session: ReplicationSession,
  request: BaseRequest,
): AsyncGenerator<BasePart> {
  const rows: (readonly ReplyRow[])[] = [];
  let begun = false;
  let archive = 0;
  let damageTold = false;
  if (request.since !== undefined) await session.copyIn('UPLOAD_MANIFEST', request.since);
  try {
    for await (const part of session.run(command(request), { lent: request.since === undefined })) {
      if (part.kind === 'rows') {
        rows.push(part.rows);
        if (rows.length === 2) {
          begun = true;
          // Before, it may wait for a checkpoint that takes as long as it likes.
          if (request.silenceLimit !== undefined) session.limitSilence(request.silenceLimit);
          yield beginning(rows[0] ?? [], rows[1] ?? []);
        }
        continue;
      }
      if (!begun) throw unexpected('a copy before the list of tablespaces');
      const data = copyData(part);
      if (request.major >= 15) {
        yield* markedParts(data, rows[1] ?? []);
      } else {
        const row = rows[1]?.[archive++];
        yield row === undefined
          ? { kind: 'manifest', data }
          : { kind: 'archive', ...tablespaceOf(row), data };
      }
    }
  } catch (error) {
    // Of wrong checksums a server tells when it has sent everything, where the base ends included. It is left to look at
    // pages even so: it reads again what was only torn, which we could not.
    damageTold = rows.length === 3 && isFailure(error, 'source.damaged');
    if (!damageTold || request.acceptDamage !== true) throw ofStandby(error);
  }
  const end = rows[2]?.[0];
  if (end === undefined) throw unexpected('no end');
  yield { kind: 'end', end: position(end), damageTold };
}

/**
 * What only a standby refuses (object_not_in_prerequisite_state): WAL of its primary that lacks full pages, or that it was
 * promoted in between. Its own words are in the language of the server.
 */
function ofStandby(error: unknown): unknown {
  if (!isFailure(error) || sqlStateOf(error) !== '55000') return error;
  return new Failure('source.unsupported', error.message, {
    ...(error.subject === undefined ? {} : { subject: error.subject }),
    hint:
      'On the primary: ALTER SYSTEM SET full_page_writes = on; SELECT pg_reload_conf(); CHECKPOINT; and when the standby ' +
      'has replayed that, take the base again. If it was promoted just now, simply take it again.',
    cause: error.cause,
  });
}

function command({ label, checkpoint, manifestChecksums, major, maxRate, since }: BaseRequest): string {
  const fast = checkpoint === 'fast';
  if (major >= 15) {
    const options = [
      `LABEL ${literal(label)}`,
      'PROGRESS',
      `CHECKPOINT ${literal(checkpoint)}`,
      'WAL',
      // The WAL that is needed stays (our slot keeps it), so a server that archives need not be waited for.
      'WAIT false',
      'TABLESPACE_MAP',
      "MANIFEST 'yes'",
      `MANIFEST_CHECKSUMS ${literal(manifestChecksums)}`,
      ...(maxRate === undefined ? [] : [`MAX_RATE ${maxRate}`]),
      ...(since === undefined ? [] : ['INCREMENTAL']),
    ];
    return `BASE_BACKUP (${options.join(', ')})`;
  }
  const words = [
    `BASE_BACKUP LABEL ${literal(label)} PROGRESS`,
    ...(fast ? ['FAST'] : []),
    'WAL NOWAIT',
    ...(maxRate === undefined ? [] : [`MAX_RATE ${maxRate}`]),
    'TABLESPACE_MAP',
    ...(major >= 13 ? [`MANIFEST 'yes' MANIFEST_CHECKSUMS ${literal(manifestChecksums)}`] : []),
  ];
  return words.join(' ');
}

function beginning(start: readonly ReplyRow[], spaces: readonly ReplyRow[]): BasePart {
  const [first] = start;
  if (first === undefined) throw unexpected('no start');
  let kibibytes = 0;
  for (const { size } of spaces) kibibytes += Number(size ?? 0);
  return {
    kind: 'begin',
    start: position(first),
    tablespaces: spaces.flatMap((row) => tablespaceOf(row).tablespace ?? []),
    expectedBytes: kibibytes * 1024,
  };
}

function position(row: ReplyRow): LogPosition {
  return { lsn: parseLsn(row['recptr'] ?? ''), timeline: Number(row['tli']) };
}

/** The data directory's own row has neither oid nor location. */
function tablespaceOf(row: ReplyRow): { tablespace?: Tablespace } {
  const { spcoid, spclocation } = row;
  if (spcoid === null || spcoid === undefined) return {};
  return { tablespace: { oid: Number(spcoid), location: spclocation ?? '' } };
}

/**
 * The parts of a marked stream (the manual, BASE_BACKUP): `n` new archive (its name and a tablespace's directory, both
 * ended by zero), `m` the manifest follows, `d` data of whichever came last, `p` progress, of no use to who counts.
 */
async function* markedParts(
  stream: AsyncIterable<Buffer>,
  spaces: readonly ReplyRow[],
): AsyncGenerator<BasePart> {
  const messages = stream[Symbol.asyncIterator]();
  let current = await messages.next();
  const data = async function* () {
    for (current = await messages.next(); current.done !== true; current = await messages.next()) {
      const mark = current.value[0];
      if (mark === DATA) yield current.value.subarray(1);
      else if (mark !== PROGRESS) return;
    }
  };
  while (current.done !== true) {
    const [mark] = current.value;
    if (mark === MANIFEST) {
      yield { kind: 'manifest', data: data() };
    } else if (mark === NEW_ARCHIVE) {
      const name = current.value.toString('utf8', 1, current.value.indexOf(0, 1));
      const row = spaces.find(({ spcoid }) => name === `${spcoid}.tar`);
      yield { kind: 'archive', ...(row === undefined ? {} : tablespaceOf(row)), data: data() };
    } else {
      throw unexpected(`a message "${String.fromCharCode(mark ?? 0)}" between archives`);
    }
  }
}

const NEW_ARCHIVE = 'n'.charCodeAt(0);
const MANIFEST = 'm'.charCodeAt(0);
const DATA = 'd'.charCodeAt(0);
const PROGRESS = 'p'.charCodeAt(0);

function copyData(part: ReplyPart): AsyncIterable<Buffer> {
  if (part.kind === 'copy-out') return part.data;
  throw unexpected('a copy in another direction');
}

function unexpected(what: string): Failure {
  return new Failure('source.unsupported', `the server answered BASE_BACKUP with ${what}`);
}
