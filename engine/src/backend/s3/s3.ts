import { Failure, isFailure } from '../../kernel/failure.ts';
import { type Backend, CONFIG, type Handle } from '../backend.ts';
import { alreadyExists, describeHandle, notFound, requireName, requireRange } from '../handle.ts';
import { formatS3Address } from './address.ts';
import { openClient } from './client.ts';
import type { S3Options } from './options.ts';
import { abortable, type Bucket, listObjects, readObject, removeObject, sizeOf } from './requests.ts';
import { isS3Error, statusOf, translateS3Error } from './s3-error.ts';
import { saver } from './save.ts';

/** A repository on any S3 server, in restic's layout. Opening sends nothing. */
export async function openS3(options: S3Options): Promise<Backend> {
  const location = formatS3Address(options.place);
  let bucket: Bucket = { ...(await openClient(options)), options, location };
  let save = saver(bucket);

  /** Temporary credentials end before they said: a new client asks their source again. */
  async function renewCredentials(): Promise<void> {
    const { client } = bucket;
    bucket = { ...(await openClient(options)), options, location };
    save = saver(bucket);
    client.destroy();
  }

  async function translated<T>(
    verb: string,
    handle: Handle,
    signal: AbortSignal | undefined,
    call: (bucket: Bucket) => Promise<T>,
  ): Promise<T> {
    try {
      signal?.throwIfAborted();
      requireName(handle);
      return await call(bucket);
    } catch (error) {
      signal?.throwIfAborted();
      if (isS3Error(error, 'ExpiredToken', 'ExpiredTokenException')) await renewCredentials();
      const failure = translateS3Error(
        error,
        `${verb} ${describeHandle(handle)} in ${location}`,
        describeHandle(handle),
      );
      if (isFailure(failure, 'backend.exists')) throw alreadyExists(handle, location, error);
      if (isFailure(failure, 'backend.not-found') && !isS3Error(error, 'NoSuchBucket')) {
        throw notFound(handle, location, error);
      }
      if (isS3Error(error, 'NoSuchBucket') && verb === 'save') throw noBucket(bucket, error);
      throw failure;
    }
  }

  return {
    location,
    connections: options.connections,
    save: (handle, data, signal) => translated('save', handle, signal, () => save(handle, data, signal)),
    load: (handle, range, signal) =>
      translated('read', handle, signal, (bucket) => {
        if (range !== undefined) requireRange(range);
        return readObject(bucket, handle, range, signal);
      }),
    stat: (handle, signal) =>
      translated('look at', handle, signal, async (bucket) => ({
        size: await sizeOf(bucket, handle, signal),
      })),
    remove: (handle, signal) =>
      translated('remove', handle, signal, (bucket) => removeObject(bucket, handle, signal)),
    async *list(type, signal) {
      try {
        signal?.throwIfAborted();
        yield* listObjects(bucket, type, signal);
      } catch (error) {
        signal?.throwIfAborted();
        if (isS3Error(error, 'ExpiredToken', 'ExpiredTokenException')) await renewCredentials();
        throw translateS3Error(error, `list the ${type} files in ${location}`, location);
      }
    },
    close: async () => bucket.client.destroy(),
  };
}

/** Makes the bucket when it is not there. `backend.exists` when there is a repository in it at this place. */
export async function createS3(options: S3Options): Promise<Backend> {
  const backend = await openS3(options);
  const { client, sdk } = await openClient(options);
  const { bucket } = options.place;
  try {
    await makeBucket(
      async () => {
        await client.send(new sdk.HeadBucketCommand({ Bucket: bucket }), abortable(undefined));
      },
      async () => {
        await client.send(new sdk.CreateBucketCommand({ Bucket: bucket }), abortable(undefined));
      },
    );
    await backend.stat(CONFIG);
  } catch (error) {
    if (isFailure(error, 'backend.not-found')) return backend;
    await backend.close();
    throw translateS3Error(error, `make the bucket ${bucket}`, backend.location);
  } finally {
    client.destroy();
  }
  await backend.close();
  throw alreadyExists(CONFIG, backend.location);
}

/** A user who may only use the bucket may not be allowed to ask for it either: then its use tells. */
async function makeBucket(look: () => Promise<void>, make: () => Promise<void>): Promise<void> {
  try {
    await look();
  } catch (error) {
    if (statusOf(error) === FORBIDDEN) return;
    if (statusOf(error) !== NOT_FOUND) throw error;
    try {
      await make();
    } catch (failed) {
      if (!isS3Error(failed, 'BucketAlreadyOwnedByYou')) throw failed;
    }
  }
}

function noBucket({ location, options }: Bucket, cause: unknown): Failure {
  return new Failure('backend.unreachable', `The bucket ${options.place.bucket} is not there any more.`, {
    subject: location,
    cause,
  });
}

const FORBIDDEN = 403;
const NOT_FOUND = 404;
