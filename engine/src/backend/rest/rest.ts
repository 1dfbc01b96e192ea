import { Failure } from '../../kernel/failure.ts';
import { type Backend, CONFIG, type Handle } from '../backend.ts';
import { alreadyExists, describeHandle, requireName, requireRange } from '../handle.ts';
import { formatRestAddress } from './address.ts';
import { openConnection, UploadCutOff } from './connection.ts';
import type { RestOptions } from './options.ts';
import {
  listFiles,
  type RestServer,
  readFile,
  removeFile,
  StatusError,
  saveFile,
  sizeOf,
  sizeUnlessGone,
} from './requests.ts';
import { refusalFailure, refusalOf, translateConnectionError } from './rest-error.ts';

/** A repository on a server that speaks restic's REST protocol. Opening sends nothing. */
export function openRest(options: RestOptions): Backend {
  return backendOf(serverOf(options));
}

/** Has the server make a repository there. `backend.exists` when there is one already. */
export async function createRest(options: RestOptions): Promise<Backend> {
  const server = serverOf(options);
  const { connection, location } = server;
  const doing = `create a repository in ${location}`;
  try {
    await translated(doing, location, async () => {
      if ((await sizeUnlessGone(server, CONFIG)) !== undefined) throw alreadyExists(CONFIG, location);
      const answer = await connection.ask({ method: 'POST', path: '?create=true' });
      answer.resume();
      if (answer.statusCode !== 200) throw refusalFailure(refusalOf(answer), doing, location);
    });
  } catch (error) {
    connection.close();
    throw error;
  }
  return backendOf(server);
}

function serverOf(options: RestOptions): RestServer {
  const { place, connections, silence } = options;
  return { connection: openConnection(options), location: formatRestAddress(place), connections, silence };
}

function backendOf(server: RestServer): Backend {
  const { connection, location, connections } = server;

  async function about<T>(
    verb: string,
    handle: Handle,
    signal: AbortSignal | undefined,
    call: () => Promise<T>,
  ): Promise<T> {
    const subject = describeHandle(handle);
    return await translated(
      `${verb} ${subject} in ${location}`,
      subject,
      async () => {
        requireName(handle);
        return await call();
      },
      signal,
    );
  }

  return {
    location,
    connections,
    save: (handle, data, signal) =>
      about('save', handle, signal, () => saveFile(server, handle, data, signal)),
    load: (handle, range, signal) =>
      about('read', handle, signal, async () => {
        if (range !== undefined) requireRange(range);
        return await readFile(server, handle, range, signal);
      }),
    stat: (handle, signal) =>
      about('look at', handle, signal, async () => ({ size: await sizeOf(server, handle, signal) })),
    remove: (handle, signal) => about('remove', handle, signal, () => removeFile(server, handle, signal)),
    async *list(type, signal) {
      const doing = `list the ${type} files in ${location}`;
      if (type === 'config') {
        const size = await translated(doing, location, () => sizeUnlessGone(server, CONFIG, signal), signal);
        if (size !== undefined) yield { name: CONFIG.name, size };
        return;
      }
      try {
        yield* listFiles(server, type, signal);
      } catch (error) {
        throw failureOf(error, doing, location, signal);
      }
    },
    close: async () => connection.close(),
  };
}

async function translated<T>(
  doing: string,
  subject: string,
  call: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  try {
    signal?.throwIfAborted();
    return await call();
  } catch (error) {
    throw failureOf(error, doing, subject, signal);
  }
}

function failureOf(error: unknown, doing: string, subject: string, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason;
  if (error instanceof Failure) return error;
  if (error instanceof StatusError) return refusalFailure(error.refusal, doing, subject);
  return translateConnectionError(error instanceof UploadCutOff ? error.cause : error, doing, subject);
}
