import { Failure } from '../kernel/failure.ts';
import { isId, shortId } from '../kernel/id.ts';
import type { ByteRange, Handle } from './backend.ts';

/** For messages: `config`, `pack 1a2b3c4d`. */
export function describeHandle(handle: Handle): string {
  if (handle.type === 'config') return 'config';
  return `${handle.type} ${isId(handle.name) ? shortId(handle.name) : JSON.stringify(handle.name)}`;
}

/**
 * Refuses a handle that no repository could have. A name that is not an id never gets as far as a path or a key:
 * this is what keeps `../../etc/passwd` inside. `internal`, since ids are checked where they are read or typed.
 */
export function requireName(handle: Handle): void {
  if (handle.type === 'config' || isId(handle.name)) return;
  throw new Failure(
    'internal',
    `A ${handle.type} is named by 64 hexadecimal digits, not ${JSON.stringify(handle.name)}.`,
  );
}

/** Refuses a range that is not one: `internal`. */
export function requireRange(range: ByteRange): void {
  if (
    Number.isSafeInteger(range.offset) &&
    range.offset >= 0 &&
    Number.isSafeInteger(range.length) &&
    range.length > 0
  ) {
    return;
  }
  throw new Failure(
    'internal',
    `A range needs an offset ≥ 0 and a length > 0, not ${range.offset}+${range.length}.`,
  );
}

/** The file ended before the range did. `available` in bytes from the range's offset. */
export function shortRead(handle: Handle, range: ByteRange, available: number, location: string): Failure {
  const wanted = `${range.length} bytes from ${range.offset}`;
  return new Failure(
    'backend.short-read',
    `The ${describeHandle(handle)} in ${location} ends too soon: ${available} of ${wanted} are there.`,
    {
      subject: describeHandle(handle),
      hint: 'Was the file cut off? `holdfast repo check` tells what is affected.',
    },
  );
}

export function notFound(handle: Handle, location: string, cause?: unknown): Failure {
  return new Failure('backend.not-found', `There is no ${describeHandle(handle)} in ${location}.`, {
    subject: describeHandle(handle),
    cause,
  });
}

export function alreadyExists(handle: Handle, location: string, cause?: unknown): Failure {
  return new Failure('backend.exists', `The ${describeHandle(handle)} is already in ${location}.`, {
    subject: describeHandle(handle),
    cause,
  });
}
