import { mapConcurrently } from '../../kernel/concurrency.ts';
import { Failure } from '../../kernel/failure.ts';
import type { ByteRange } from '../backend.ts';
import { closeFile, type OpenFile, openToRead, readPiece, statusOf } from './calls.ts';
import type { SftpSession } from './session.ts';
import { type Piece, piecesInFlight, piecesOf } from './window.ts';

/**
 * Reads a range, or the whole file, into one allocation of its own. `available` is less than the range's length only
 * when the file ends there; the caller decides what that means.
 */
export async function readRange(
  session: SftpSession,
  path: string,
  range: ByteRange | undefined,
  signal?: AbortSignal,
): Promise<{ bytes: Uint8Array<ArrayBuffer>; range: ByteRange; available: number }> {
  // Asked for at once: the server answers in one round trip.
  const opening = openToRead(session, path, signal);
  const sizing = range === undefined ? sizeOf(session, path, signal) : undefined;
  const [file, size] = await Promise.allSettled([opening, sizing]);
  if (file.status === 'rejected') throw file.reason;
  try {
    if (size.status === 'rejected') throw size.reason;
    const wanted = range ?? { offset: 0, length: size.value ?? 0 };
    // Not zeroed first, and not from Node's pool: the bytes own their memory, so a worker can take it without a copy.
    const bytes = new Uint8Array(Buffer.allocUnsafeSlow(wanted.length).buffer);
    const available = await fill(bytes, { session, file: file.value, offset: wanted.offset }, signal);
    return { bytes, range: wanted, available };
  } finally {
    // Nothing rests on it, so nobody waits.
    closeFile(session, file.value).catch(() => undefined);
  }
}

export async function sizeOf(session: SftpSession, path: string, signal?: AbortSignal): Promise<number> {
  const { size } = await statusOf(session, path, signal);
  if (size !== undefined && size <= LARGEST_FILE) return size;
  throw new Failure('backend.io', `The server says that ${path} has ${size ?? 'no'} bytes.`, {
    subject: path,
    hint: 'No file of a repository is like that.',
  });
}

interface From {
  readonly session: SftpSession;
  readonly file: OpenFile;
  readonly offset: number;
}

/** Many pieces on their way at once; answers how many bytes there are before the file ends. */
async function fill(bytes: Uint8Array, { session, file, offset }: From, signal?: AbortSignal) {
  let available = bytes.length;
  const { read } = session.pieces;
  await mapConcurrently(piecesOf(bytes.length, read), piecesInFlight(read), async ({ at, length }: Piece) => {
    for (let done = 0; done < length; ) {
      const rest = { offset: offset + at + done, length: length - done };
      const piece = await readPiece(session, file, rest, signal);
      bytes.set(piece, at + done);
      done += piece.length;
      if (piece.length > 0) continue;
      available = Math.min(available, at + done);
      return;
    }
  });
  return available;
}

/** Packs are cut at 128 MiB, index files at some; what is beyond is no answer. */
const LARGEST_FILE = 1 << 30;
