import { Failure } from '../../kernel/failure.ts';
import { isId } from '../../kernel/id.ts';
import type { ListedFile } from '../backend.ts';

/** A name without a size comes from a server that speaks version 1 only. */
export interface NamedFile {
  readonly name: string;
  readonly size?: number;
}

/**
 * The files that a list names; strangers are left out. A list that is not whole or none at all is refused
 * (`backend.io`): what it leaves out would be taken for lost.
 */
export function parseList(text: string, location: string): NamedFile[] {
  const entries = parseArray(text);
  if (entries === undefined) throw noList(location);
  return entries.flatMap((entry) => {
    if (typeof entry === 'string') return isId(entry) ? [{ name: entry }] : [];
    if (!isListed(entry)) throw noList(location);
    return isId(entry.name) ? [{ name: entry.name, size: entry.size }] : [];
  });
}

/** Go writes an empty list as null. */
function parseArray(text: string): unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return value === null ? [] : Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isListed(entry: unknown): entry is ListedFile {
  return (
    typeof entry === 'object' &&
    entry !== null &&
    'name' in entry &&
    typeof entry.name === 'string' &&
    'size' in entry &&
    Number.isSafeInteger(entry.size)
  );
}

function noList(location: string): Failure {
  return new Failure('backend.io', `What ${location} sent is no list of files.`, {
    subject: location,
    hint: 'Is it a REST server for restic that answers there?',
  });
}
