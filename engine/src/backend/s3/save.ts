import { createHash } from 'node:crypto';
import { mapConcurrently } from '../../kernel/concurrency.ts';
import { lastCall } from '../../kernel/last-call.ts';
import type { Handle } from '../backend.ts';
import { abortable, type Bucket, placeOf, sizeOf } from './requests.ts';
import { isS3Error, statusOf } from './s3-error.ts';

/**
 * Writes a file that must not be there yet. The server itself compares what arrives with its SHA-256 and refuses a name
 * that is taken (`If-None-Match: *`), in one step with the write. A server that does not know the condition says 501, and
 * is asked first from then on; one that ignores it in silence writes the same bytes under the same name again, since every
 * name but that of the config is the hash of its content, and the config is always looked for first.
 */
export function saver(
  bucket: Bucket,
): (handle: Handle, data: Uint8Array, signal?: AbortSignal) => Promise<void> {
  let conditional = true;
  return async (handle, data, signal) => {
    if (!conditional || handle.type === 'config') await requireFree(bucket, handle, signal);
    try {
      await put(bucket, { handle, data, conditional }, signal);
    } catch (error) {
      if (statusOf(error) === NOT_IMPLEMENTED && conditional) {
        conditional = false;
        await requireFree(bucket, handle, signal);
        return await put(bucket, { handle, data, conditional }, signal);
      }
      // Two writers of one name at once: the server lets none of them or one through, and a look tells.
      if (isS3Error(error, 'ConditionalRequestConflict', 'OperationAborted')) {
        await requireFree(bucket, handle, signal);
      }
      throw error;
    }
  };
}

interface Upload {
  readonly handle: Handle;
  readonly data: Uint8Array;
  readonly conditional: boolean;
}

async function put(bucket: Bucket, upload: Upload, signal?: AbortSignal): Promise<void> {
  if (upload.data.length > LARGEST_PUT) return await putInParts(bucket, upload, signal);
  const { client, sdk } = bucket;
  await client.send(
    new sdk.PutObjectCommand({
      ...placeOf(bucket, upload.handle),
      ...storageClass(bucket, upload.handle),
      ...condition(upload),
      Body: upload.data,
      ContentLength: upload.data.length,
      ChecksumSHA256: sha256(upload.data),
    }),
    abortable(signal),
  );
}

/** Nothing of it can be seen before the last call; parts that are left over are thrown away. */
async function putInParts(bucket: Bucket, upload: Upload, signal?: AbortSignal): Promise<void> {
  const { client, sdk, options } = bucket;
  const place = placeOf(bucket, upload.handle);
  signal?.throwIfAborted();
  // Not given up halfway: without its id an upload that was begun could not be removed.
  const { UploadId } = await client.send(
    new sdk.CreateMultipartUploadCommand({
      ...place,
      ...storageClass(bucket, upload.handle),
      ChecksumAlgorithm: 'SHA256',
    }),
    { abortSignal: lastCall(signal) },
  );
  try {
    const parts = await mapConcurrently(
      piecesOf(upload.data),
      options.connections,
      async ({ number, bytes }) => {
        const ChecksumSHA256 = sha256(bytes);
        const sent = await client.send(
          new sdk.UploadPartCommand({ ...place, UploadId, PartNumber: number, Body: bytes, ChecksumSHA256 }),
          abortable(signal),
        );
        return { PartNumber: number, ETag: sent.ETag, ChecksumSHA256 };
      },
    );
    await client.send(
      new sdk.CompleteMultipartUploadCommand({
        ...place,
        ...condition(upload),
        UploadId,
        MultipartUpload: { Parts: parts },
      }),
      abortable(signal),
    );
  } catch (error) {
    // What stays after a kill costs room until the bucket's own rule for unfinished uploads removes it.
    await client
      .send(new sdk.AbortMultipartUploadCommand({ ...place, UploadId }), { abortSignal: lastCall(signal) })
      .catch(() => undefined);
    throw error;
  }
}

function* piecesOf(data: Uint8Array): Generator<{ number: number; bytes: Uint8Array }> {
  for (let at = 0, number = 1; at < data.length; at += PART_BYTES, number++) {
    yield { number, bytes: data.subarray(at, at + PART_BYTES) };
  }
}

/** Throws what the server says about a name that is taken. */
async function requireFree(bucket: Bucket, handle: Handle, signal?: AbortSignal): Promise<void> {
  try {
    await sizeOf(bucket, handle, signal);
  } catch (error) {
    if (statusOf(error) === NOT_FOUND) return;
    throw error;
  }
  throw Object.assign(new Error('it is there already'), { name: 'PreconditionFailed' });
}

function condition({ conditional }: Upload): { IfNoneMatch?: string } {
  return conditional ? { IfNoneMatch: '*' } : {};
}

/** Keys, locks, index and snapshots are read all the time: a cold class would lock us out. */
function storageClass({ options }: Bucket, { type }: Handle): object {
  return type === 'pack' && options.storageClass !== undefined ? { StorageClass: options.storageClass } : {};
}

function sha256(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('base64');
}

const NOT_IMPLEMENTED = 501;
const NOT_FOUND = 404;
const LARGEST_PUT = 64 * 1024 * 1024;
const PART_BYTES = 16 * 1024 * 1024;
