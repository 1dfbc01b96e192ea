import type { IncomingMessage } from 'node:http';
import { Failure } from '../../kernel/failure.ts';
import type { ByteRange, FileType, Handle, ListedFile } from '../backend.ts';
import { alreadyExists, describeHandle, notFound, shortRead } from '../handle.ts';
import { collect, collectText } from '../http/body.ts';
import { type Question, type RestConnection, UploadCutOff } from './connection.ts';
import { parseList } from './list.ts';
import { LIST_V2, restFolderOf, restPathOf } from './protocol.ts';
import { type Refusal, refusalFailure, refusalOf } from './rest-error.ts';

/** One server, and what its repository is called in messages. */
export interface RestServer {
  readonly connection: RestConnection;
  readonly location: string;
  readonly connections: number;
  /** Milliseconds. */
  readonly silence: number;
}

/** Rejects with the failure that a status means; a body that nobody wants is thrown away. */
async function ask(
  server: RestServer,
  handle: Handle,
  question: Omit<Question, 'path'>,
  signal?: AbortSignal,
): Promise<IncomingMessage> {
  const answer = await server.connection.ask({ path: restPathOf(handle), ...question }, signal);
  const status = answer.statusCode ?? 0;
  if (status === 200 || status === 206) return answer;
  answer.resume();
  if (status === NOT_FOUND) throw notFound(handle, server.location);
  throw new StatusError(refusalOf(answer), `${question.method} ${describeHandle(handle)}`);
}

/** A status that means something else here and there; it does not leave this folder. */
export class StatusError extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal, message: string) {
    super(message);
    this.refusal = refusal;
  }
}

export async function sizeOf(server: RestServer, handle: Handle, signal?: AbortSignal): Promise<number> {
  const answer = await ask(server, handle, { method: 'HEAD' }, signal);
  answer.resume();
  return requireLength(answer, handle);
}

/** Exactly the range, or the whole file. `backend.short-read` when it ends before. */
export async function readFile(
  server: RestServer,
  handle: Handle,
  range: ByteRange | undefined,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const answer = await ask(server, handle, { method: 'GET', headers: rangeHeader(range) }, signal);
    const skip = range === undefined ? 0 : skipped(answer, range, handle);
    const length = range?.length ?? requireLength(answer, handle);
    const bytes = await collect(answer, { skip, length, silence: server.silence }, signal);
    if (bytes.length === length) return bytes;
    throw shortRead(handle, range ?? { offset: 0, length }, bytes.length, server.location);
  } catch (error) {
    if (
      range === undefined ||
      !(error instanceof StatusError) ||
      error.refusal.status !== RANGE_NOT_SATISFIABLE
    ) {
      throw error;
    }
    const size = await sizeOf(server, handle, signal);
    throw shortRead(handle, range, Math.max(0, size - range.offset), server.location);
  }
}

/**
 * The protocol answers 403 both to a name that is taken and to whoever may not write: a look tells which. So it does
 * when the server closed the connection while we were still sending.
 */
export async function saveFile(
  server: RestServer,
  handle: Handle,
  data: Uint8Array,
  signal?: AbortSignal,
): Promise<void> {
  try {
    const headers = { 'Content-Type': 'application/octet-stream' };
    const answer = await ask(server, handle, { method: 'POST', headers, data }, signal);
    answer.resume();
  } catch (error) {
    const refused = error instanceof StatusError && error.refusal.status === FORBIDDEN;
    if (!refused && !(error instanceof UploadCutOff)) throw error;
    if (await isThere(server, handle, signal)) throw alreadyExists(handle, server.location, error);
    throw refused ? error : error.cause;
  }
}

export async function removeFile(server: RestServer, handle: Handle, signal?: AbortSignal): Promise<void> {
  const answer = await ask(server, handle, { method: 'DELETE' }, signal);
  answer.resume();
}

/** A list comes in one piece. Folders that are not there yet are empty: servers make them when they need them. */
export async function* listFiles(
  server: RestServer,
  type: Exclude<FileType, 'config'>,
  signal?: AbortSignal,
): AsyncGenerator<ListedFile> {
  const { connection, location, connections, silence } = server;
  const question: Question = { method: 'GET', path: restFolderOf(type), headers: { Accept: LIST_V2 } };
  const answer = await connection.ask(question, signal);
  if (answer.statusCode === NOT_FOUND) {
    answer.resume();
    return;
  }
  if (answer.statusCode !== 200) {
    answer.resume();
    throw refusalFailure(refusalOf(answer), `list the ${type} files in ${location}`, location);
  }
  const files = parseList(await collectText(answer, { most: LARGEST_LIST, silence }, signal), location);
  for (let next = 0; next < files.length; next += connections) {
    const batch = files.slice(next, next + connections).map(async ({ name, size }) => {
      return { name, size: size ?? (await sizeUnlessGone(server, { type, name }, signal)) };
    });
    for (const { name, size } of await Promise.all(batch)) {
      signal?.throwIfAborted();
      if (size !== undefined) yield { name, size };
    }
  }
}

async function isThere(server: RestServer, handle: Handle, signal?: AbortSignal): Promise<boolean> {
  return (await sizeUnlessGone(server, handle, signal)) !== undefined;
}

export async function sizeUnlessGone(
  server: RestServer,
  handle: Handle,
  signal?: AbortSignal,
): Promise<number | undefined> {
  try {
    return await sizeOf(server, handle, signal);
  } catch (error) {
    if (error instanceof Failure && error.code === 'backend.not-found') return undefined;
    throw error;
  }
}

function rangeHeader(range: ByteRange | undefined): { Range?: string } {
  return range === undefined ? {} : { Range: `bytes=${range.offset}-${range.offset + range.length - 1}` };
}

/** How much of the body comes before the range: all of it from a server that does not know ranges. */
function skipped(answer: IncomingMessage, { offset }: ByteRange, handle: Handle): number {
  if (answer.statusCode !== PARTIAL) return offset;
  const from = /^bytes (\d+)-/.exec(answer.headers['content-range'] ?? '')?.[1];
  if (Number(from) === offset) return 0;
  answer.destroy();
  throw garbled(handle, `another range of ${describeHandle(handle)} than was asked for`);
}

function requireLength(answer: IncomingMessage, handle: Handle): number {
  const length = Number(answer.headers['content-length'] ?? Number.NaN);
  if (Number.isSafeInteger(length) && length >= 0 && length <= LARGEST_FILE) return length;
  answer.destroy();
  throw garbled(handle, `no usable length of ${describeHandle(handle)}`);
}

function garbled(handle: Handle, what: string): Failure {
  return new Failure('backend.io', `The server sent ${what}.`, {
    subject: describeHandle(handle),
    hint: 'Is there a proxy on the way that changes answers?',
  });
}

const PARTIAL = 206;
const FORBIDDEN = 403;
const NOT_FOUND = 404;
const RANGE_NOT_SATISFIABLE = 416;
/** Packs are cut at 128 MiB, index files at some; what is beyond is no answer. */
const LARGEST_FILE = 1 << 30;
/** Three million files. */
const LARGEST_LIST = 1 << 28;
