import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import { Failure } from '../../kernel/failure.ts';
import { CONNECT_MS } from '../http/limits.ts';
import { trusted } from '../http/trust.ts';
import type { RestOptions } from './options.ts';

export interface Question {
  readonly method: 'HEAD' | 'GET' | 'POST' | 'DELETE';
  /** Below the repository's URL. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly data?: Uint8Array;
}

export interface RestConnection {
  /**
   * Resolves when the head of the answer is there, whatever its status. Its body has to be read or thrown away.
   * Rejects with the system's errors, with `UploadCutOff` around them, or with the signal's reason.
   */
  ask(question: Question, signal?: AbortSignal): Promise<IncomingMessage>;
  close(): void;
}

/** The connection was gone before all of the data was on its way: the server cannot have saved it. */
export class UploadCutOff extends Error {}

/** Connections that are kept open, as many as there are calls at once. */
export function openConnection(options: RestOptions): RestConnection {
  const { place, connections, silence, authority, clientCertificate } = options;
  const secure = place.origin.startsWith('https:');
  const settings = { keepAlive: true, maxSockets: connections };
  const agent = secure
    ? new https.Agent({
        ...settings,
        ...(authority === undefined ? {} : { ca: trusted(authority) }),
        ...(clientCertificate === undefined ? {} : { cert: clientCertificate, key: clientCertificate }),
      })
    : new http.Agent(settings);
  const { request } = secure ? https : http;
  const common = { ...authorization(options), 'User-Agent': 'holdfast' };

  return {
    async ask({ method, path, headers, data }, signal) {
      signal?.throwIfAborted();
      const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
      const length = method === 'POST' ? { 'Content-Length': String(data?.length ?? 0) } : {};
      const asking = request(new URL(`${place.origin}${place.path}${path}`), {
        method,
        agent,
        headers: { ...common, ...length, ...headers },
        ...(place.socket === undefined ? {} : { socketPath: place.socket }),
        ...(signal === undefined ? {} : { signal }),
      });
      asking.once('socket', (socket) => limitConnecting(socket, (reason) => asking.destroy(reason)));
      asking.setTimeout(silence, () => asking.destroy(silent()));
      asking.once('response', resolve);
      asking.on('error', (error) => {
        reject(
          data !== undefined && !asking.writableFinished ? new UploadCutOff('', { cause: error }) : error,
        );
      });
      asking.end(data);
      try {
        return await promise;
      } catch (error) {
        signal?.throwIfAborted();
        throw error;
      }
    },
    close: () => agent.destroy(),
  };
}

/** Always said at once: a server that asks first would have every upload sent twice. */
function authorization({ login }: RestOptions): { Authorization?: string } {
  if (login === undefined) return {};
  const pair = Buffer.from(`${login.username}:${login.password}`).toString('base64');
  return { Authorization: `Basic ${pair}` };
}

function limitConnecting(socket: Socket, give: (reason: Failure) => void): void {
  if (!socket.connecting) return;
  const timer = setTimeout(() => give(silent()), CONNECT_MS).unref();
  const done = 'encrypted' in socket ? 'secureConnect' : 'connect';
  for (const event of [done, 'close']) socket.once(event, () => clearTimeout(timer));
}

function silent(): Failure {
  return new Failure('backend.unreachable', 'The server does not answer.', {
    hint: 'Is it up, and is its address right?',
  });
}
