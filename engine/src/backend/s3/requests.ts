import type { S3Client } from '@aws-sdk/client-s3';
import { Failure } from '../../kernel/failure.ts';
import { type ByteRange, CONFIG, type FileType, type Handle, type ListedFile } from '../backend.ts';
import { describeHandle, requireName, shortRead } from '../handle.ts';
import { type BodyStream, collect } from '../http/body.ts';
import { belongsIn, directoriesOf, pathOf } from '../layout.ts';
import type { Sdk } from './client.ts';
import type { S3Options } from './options.ts';
import { statusOf } from './s3-error.ts';

/** One client, and the bucket that it talks about. */
export interface Bucket {
  readonly client: S3Client;
  readonly sdk: Sdk;
  readonly options: S3Options;
  readonly location: string;
}

/** Where a file of the repository lies in its bucket. */
export function placeOf({ options: { place } }: Bucket, handle: Handle): { Bucket: string; Key: string } {
  requireName(handle);
  return { Bucket: place.bucket, Key: below(place.prefix, pathOf(handle)) };
}

export async function sizeOf(bucket: Bucket, handle: Handle, signal?: AbortSignal): Promise<number> {
  const { client, sdk } = bucket;
  const answer = await client.send(new sdk.HeadObjectCommand(placeOf(bucket, handle)), abortable(signal));
  return answer.ContentLength ?? 0;
}

/** Exactly the range, or the whole file. `backend.short-read` when it ends before. */
export async function readObject(
  bucket: Bucket,
  handle: Handle,
  range: ByteRange | undefined,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const { client, sdk, location } = bucket;
  const { silence } = bucket.options;
  const wanted =
    range === undefined ? {} : { Range: `bytes=${range.offset}-${range.offset + range.length - 1}` };
  try {
    const answer = await client.send(
      new sdk.GetObjectCommand({ ...placeOf(bucket, handle), ...wanted }),
      abortable(signal),
    );
    // A server that does not know ranges sends the whole file.
    const skip = range !== undefined && answer.ContentRange === undefined ? range.offset : 0;
    const length = range?.length ?? requireLength(answer.ContentLength, handle);
    const bytes = await collect(answer.Body as unknown as BodyStream, { skip, length, silence }, signal);
    if (bytes.length === length) return bytes;
    throw shortRead(handle, range ?? { offset: 0, length }, bytes.length, location);
  } catch (error) {
    if (range === undefined || statusOf(error) !== RANGE_NOT_SATISFIABLE) throw error;
    const size = await sizeOf(bucket, handle, signal);
    throw shortRead(handle, range, Math.max(0, size - range.offset), location);
  }
}

/** S3 removes what is not there without a word, so we look first. */
export async function removeObject(bucket: Bucket, handle: Handle, signal?: AbortSignal): Promise<void> {
  const { client, sdk } = bucket;
  await sizeOf(bucket, handle, signal);
  await client.send(new sdk.DeleteObjectCommand(placeOf(bucket, handle)), abortable(signal));
}

/** Page by page, the next one asked for while this one is worked through. */
export async function* listObjects(
  bucket: Bucket,
  type: FileType,
  signal?: AbortSignal,
): AsyncGenerator<ListedFile> {
  if (type === 'config') {
    yield* configIn(bucket, signal);
    return;
  }
  const { client, sdk, options } = bucket;
  const [first = ''] = directoriesOf(type);
  const root = below(options.place.prefix, '');
  const folder = type === 'pack' ? 'data' : first;
  const page = (token: string | undefined) =>
    client.send(
      new sdk.ListObjectsV2Command({
        Bucket: options.place.bucket,
        Prefix: `${root}${folder}/`,
        // Keys of strangers may hold what XML cannot.
        EncodingType: 'url',
        ...(token === undefined ? {} : { ContinuationToken: token }),
      }),
      abortable(signal),
    );
  let next: ReturnType<typeof page> | undefined = page(undefined);
  try {
    while (next !== undefined) {
      const answer: Awaited<ReturnType<typeof page>> = await next;
      next = answer.IsTruncated === true ? page(requireToken(answer.NextContinuationToken)) : undefined;
      next?.catch(() => undefined);
      for (const { Key = '', Size = 0 } of answer.Contents ?? []) {
        signal?.throwIfAborted();
        const path = decodeKey(Key).slice(root.length);
        const slash = path.lastIndexOf('/');
        const name = path.slice(slash + 1);
        if (belongsIn(type, path.slice(0, slash), name)) yield { name, size: Size };
      }
    }
  } finally {
    // Left early: nobody waits for the page that is on its way.
    await next?.catch(() => undefined);
  }
}

async function* configIn(bucket: Bucket, signal?: AbortSignal): AsyncGenerator<ListedFile> {
  try {
    yield { name: CONFIG.name, size: await sizeOf(bucket, CONFIG, signal) };
  } catch (error) {
    if (statusOf(error) !== NOT_FOUND) throw error;
  }
}

export function abortable(signal: AbortSignal | undefined): { abortSignal?: AbortSignal } {
  signal?.throwIfAborted();
  return signal === undefined ? {} : { abortSignal: signal };
}

function below(prefix: string, path: string): string {
  return prefix === '' ? path : `${prefix}/${path}`;
}

function requireLength(length: number | undefined, handle: Handle): number {
  if (length !== undefined && length <= LARGEST_FILE) return length;
  throw new Failure(
    'backend.io',
    `The server says that ${describeHandle(handle)} has ${length ?? 'no'} bytes.`,
    {
      subject: describeHandle(handle),
      hint: 'No file of a repository is like that; what answers there?',
    },
  );
}

function requireToken(token: string | undefined): string {
  if (token !== undefined) return token;
  throw new Failure('backend.io', 'The server’s list goes on, but it does not say where.', {
    hint: 'A list that is cut short must never be taken for the whole one.',
  });
}

function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch {
    return key; // a stranger's
  }
}

const RANGE_NOT_SATISFIABLE = 416;
const NOT_FOUND = 404;
/** Packs are cut at 128 MiB, index files at some; what is beyond is no answer. */
const LARGEST_FILE = 1 << 30;
