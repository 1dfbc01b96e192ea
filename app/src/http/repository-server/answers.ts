import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type FileType, type Handle, isFailure, LIST_V1, LIST_V2, type LocalBackend } from '@holdfast/engine';
import type { Quota } from './quota.ts';
import { spanOf } from './range.ts';
import { Refusal } from './refusal.ts';
import { checkedUpload } from './upload.ts';

/** One request and its answer. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** Names and sizes, or names alone for a client that does not ask for version 2. */
export async function sendList(
  { request, response }: Exchange,
  store: LocalBackend,
  type: Exclude<FileType, 'config'>,
): Promise<void> {
  const version = request.headers.accept === LIST_V2 ? LIST_V2 : LIST_V1;
  async function* text(): AsyncGenerator<string> {
    let piece = '[';
    let separator = '';
    for await (const { name, size } of store.list(type)) {
      piece += separator + JSON.stringify(version === LIST_V2 ? { name, size } : name);
      separator = ',';
      if (piece.length < PIECE) continue;
      yield piece;
      piece = '';
    }
    yield `${piece}]`;
  }
  response.writeHead(OK, { 'Content-Type': version });
  await pipeline(Readable.from(text(), { objectMode: false }), response);
}

export async function sendFile(
  { request, response }: Exchange,
  store: LocalBackend,
  handle: Handle,
): Promise<void> {
  const { size } = await store.stat(handle);
  const span = spanOf(request.headers.range, size);
  if (span === 'unsatisfiable') {
    throw new Refusal(RANGE_NOT_SATISFIABLE, 'The file ends before that.', {
      'Content-Range': `bytes */${size}`,
    });
  }
  const { start, end } = span ?? { start: 0, end: size };
  response.writeHead(span === undefined ? OK : PARTIAL, {
    'Content-Type': 'application/octet-stream',
    'Content-Length': end - start,
    'Accept-Ranges': 'bytes',
    ...(span === undefined ? {} : { 'Content-Range': `bytes ${start}-${end - 1}/${size}` }),
  });
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  await pipeline(Readable.from(slicesOf(store, handle, start, end), { objectMode: false }), response);
}

/** A pack is never in memory as a whole, however many are read at once. */
async function* slicesOf(
  store: LocalBackend,
  handle: Handle,
  start: number,
  end: number,
): AsyncGenerator<Uint8Array> {
  for (let offset = start; offset < end; offset += SLICE) {
    yield await store.load(handle, { offset, length: Math.min(SLICE, end - offset) });
  }
}

export async function receiveFile(
  { request, response }: Exchange,
  store: LocalBackend,
  { handle, quota }: { readonly handle: Handle; readonly quota: Quota },
): Promise<void> {
  // Before anything is read; between two at once the disk decides.
  if (await isThere(store, handle)) throw taken();
  let room = 0;
  const take = (bytes: number): void => {
    quota.take(bytes);
    room += bytes;
  };
  try {
    // Not destroyed with the iteration: whoever is refused halfway has to hear it on the same connection.
    const pieces = request.iterator({ destroyOnReturn: false });
    await store.saveFrom(handle, checkedUpload(pieces, handle, take));
  } catch (error) {
    quota.giveBack(room);
    throw isFailure(error, 'backend.exists') ? taken() : error;
  }
  response.writeHead(OK, EMPTY).end();
}

export async function removeFile(
  { response }: Exchange,
  store: LocalBackend,
  { handle, quota }: { readonly handle: Handle; readonly quota: Quota },
): Promise<void> {
  const { size } = await store.stat(handle);
  await store.remove(handle);
  quota.giveBack(size);
  response.writeHead(OK, EMPTY).end();
}

async function isThere(store: LocalBackend, handle: Handle): Promise<boolean> {
  try {
    await store.stat(handle);
    return true;
  } catch (error) {
    if (isFailure(error, 'backend.not-found')) return false;
    throw error;
  }
}

/** The protocol's answer to a name that is taken. */
function taken(): Refusal {
  return new Refusal(FORBIDDEN, 'There is a file of that name already.');
}

const OK = 200;
const PARTIAL = 206;
const FORBIDDEN = 403;
const RANGE_NOT_SATISFIABLE = 416;
const EMPTY = { 'Content-Length': 0 };
const PIECE = 64 * 1024;
const SLICE = 1024 * 1024;
