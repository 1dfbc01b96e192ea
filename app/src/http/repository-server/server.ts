import { chmod, rm } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { Failure } from '@holdfast/engine';
import { type HandlerParts, requestHandler } from './handler.ts';
import type { ListenAddress } from './listen-address.ts';

export interface ServerOptions extends HandlerParts {
  readonly listen: ListenAddress;
  /** PEM. */
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer };
}

export interface RunningServer {
  /** As a client writes it: `https://127.0.0.1:8000/`. */
  readonly url: string;
  /** Takes nothing new, lets finish what is on its way for so many milliseconds, and cuts off the rest. */
  stop(patience: number): Promise<void>;
}

/**
 * Listens and answers. Its limits keep one client, known or not, from using up what all others need: heads are small and
 * come soon, a connection on which nothing moves is closed, and there are so many of them and no more.
 */
export async function startServer({ listen, tls, ...parts }: ServerOptions): Promise<RunningServer> {
  const handle = requestHandler(parts);
  const limits = {
    headersTimeout: HEAD_MS,
    requestTimeout: REQUEST_MS,
    connectionsCheckingInterval: CHECK_MS,
    keepAliveTimeout: IDLE_MS,
    maxHeaderSize: HEAD_BYTES,
  };
  const server =
    tls === undefined
      ? http.createServer(limits)
      : https.createServer({ ...limits, ...tls, minVersion: 'TLSv1.2', handshakeTimeout: HEAD_MS });
  server.maxConnections = MOST_CONNECTIONS;
  server.setTimeout(SILENCE_MS);
  const running = new Set<Promise<void>>();
  let stopping = false;
  server.on('request', (request, response) => {
    if (stopping) response.setHeader('Connection', 'close');
    // One that began before the stop was promised that its connection stays.
    response.once('close', () => stopping && server.closeIdleConnections());
    const answering = handle({ request, response }).finally(() => running.delete(answering));
    running.add(answering);
  });
  await begin(server, listen);

  return {
    url: urlOf(server, listen, tls !== undefined),
    async stop(patience) {
      stopping = true;
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      const impatience = setTimeout(() => server.closeAllConnections(), patience);
      await closed.promise;
      clearTimeout(impatience);
      // A connection may be gone while its file is still on its way to the disk.
      await Promise.all(running);
      if (listen.kind === 'socket') await rm(listen.path, { force: true });
    },
  };
}

async function begin(server: http.Server, listen: ListenAddress): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('listening', resolve).once('error', reject);
  if (listen.kind === 'socket') server.listen(listen.path);
  else server.listen(listen.port, listen.host);
  try {
    await promise;
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    const where = listen.kind === 'socket' ? listen.path : `${listen.host} port ${listen.port}`;
    throw new Failure('usage', `cannot listen on ${where}: ${code}`, {
      hint: 'Does another program listen there, or one of an earlier run?',
      cause: error,
    });
  }
  // Whoever may use a socket is told by its file; the rest of the machine is not meant.
  if (listen.kind === 'socket') await chmod(listen.path, 0o660);
}

function urlOf(server: http.Server, listen: ListenAddress, secure: boolean): string {
  if (listen.kind === 'socket') return `http+unix://${listen.path}:/`;
  const { port } = server.address() as AddressInfo;
  const host = listen.host.includes(':') ? `[${listen.host}]` : listen.host;
  return `${secure ? 'https' : 'http'}://${host}:${port}/`;
}

const HEAD_MS = 15_000;
/** For a whole request: 128 MiB over a line of 40 kB/s. */
const REQUEST_MS = 3_600_000;
const CHECK_MS = 5000;
const IDLE_MS = 75_000;
/** Longer than a slow disk takes to make a large file durable: nothing moves on the connection meanwhile. */
const SILENCE_MS = 120_000;
const HEAD_BYTES = 16 * 1024;
const MOST_CONNECTIONS = 512;
