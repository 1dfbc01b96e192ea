import { Failure } from '../kernel/failure.ts';
import { type Id, isId } from '../kernel/id.ts';

/*
 * JSON from outside, read with Go's rules since restic's files follow them: a field that is missing or null is the
 * zero value, an unknown field is ignored, a field of the wrong type is an error; here `repository.damaged`.
 */

export type JsonRecord = Readonly<Record<string, unknown>>;

/**
 * Parses UTF-8 `bytes` to one object. `what` names the file in the failure's message, as in "the index file";
 * `prepare` may change the text before it is parsed.
 */
export function parseRecord(
  bytes: Uint8Array,
  what: string,
  prepare: (json: string) => string = (json) => json,
): JsonRecord {
  let value: unknown;
  try {
    value = JSON.parse(
      prepare(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')),
    );
  } catch (cause) {
    throw new Failure('repository.damaged', `${capitalized(what)} is not JSON.`, { cause });
  }
  return asRecord(value, what);
}

export function asRecord(value: unknown, what: string): JsonRecord {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Failure('repository.damaged', `${capitalized(what)} is not a JSON object.`);
  }
  return value as JsonRecord;
}

/** A list; missing is empty. */
export function listField(record: JsonRecord, field: string): readonly unknown[] {
  const value = record[field] ?? [];
  return Array.isArray(value) ? value : wrongType(field, 'a list');
}

export function textListField(record: JsonRecord, field: string): readonly string[] {
  const list = listField(record, field);
  return list.every((item) => typeof item === 'string') ? list : wrongType(field, 'a list of texts');
}

/** A text; missing is ''. */
export function textField(record: JsonRecord, field: string): string {
  const value = record[field] ?? '';
  return typeof value === 'string' ? value : wrongType(field, 'a text');
}

export function flagField(record: JsonRecord, field: string): boolean {
  const value = record[field] ?? false;
  return typeof value === 'boolean' ? value : wrongType(field, 'true or false');
}

/** A whole number from 0 that a double holds exactly; missing is 0. */
export function countField(record: JsonRecord, field: string): number {
  const value = record[field] ?? 0;
  return isCount(value) ? value : wrongType(field, 'a whole number');
}

export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

export function idField(record: JsonRecord, field: string): Id {
  const value = record[field];
  return typeof value === 'string' && isId(value) ? value : wrongType(field, 'an id');
}

export function optionalIdField(record: JsonRecord, field: string): Id | undefined {
  return record[field] === undefined || record[field] === null ? undefined : idField(record, field);
}

export function idListField(record: JsonRecord, field: string): readonly Id[] {
  const list = listField(record, field);
  return list.every((item) => typeof item === 'string' && isId(item))
    ? (list as Id[])
    : wrongType(field, 'a list of ids');
}

/** Bytes in base64, with padding as Go demands; missing is empty. */
export function bytesField(record: JsonRecord, field: string): Buffer {
  const text = textField(record, field);
  const bytes = Buffer.from(text, 'base64');
  // Node skips what it does not know: only a text that comes out again was base64.
  return bytes.toString('base64') === text ? bytes : wrongType(field, 'base64');
}

function wrongType(field: string, expected: string): never {
  throw new Failure('repository.damaged', `The field "${field}" is not ${expected}.`);
}

function capitalized(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
