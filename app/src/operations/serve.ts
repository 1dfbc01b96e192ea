import { stat } from 'node:fs/promises';
import path from 'node:path';
import { Failure } from '@holdfast/engine';

import type { ServeRepositories, ServeRequest } from '../cli/commands/serve.ts';
import { readFileBytes } from '../cli/text-file.ts';
import { printable } from '../cli/width.ts';
import type { Answered } from '../http/repository-server/handler.ts';
import { isLocal, type ListenAddress, parseListenAddress } from '../http/repository-server/listen-address.ts';
import { passwordCheck } from '../http/repository-server/password-check.ts';
import { quotaOf, UNLIMITED } from '../http/repository-server/quota.ts';
import { startServer } from '../http/repository-server/server.ts';
import { storesBelow } from '../http/repository-server/stores.ts';
import type { Machine } from './machine.ts';

export function serveRepositories({
  clock,
  workingDirectory,
}: Pick<Machine, 'clock' | 'workingDirectory'>): ServeRepositories {
  return async (request, { signal, progress }) => {
    const startedAt = clock.now();
    const listen = parseListenAddress(request.listen);
    refuseUnsafe(request, listen);
    const root = path.resolve(workingDirectory, request.path);
    await requireDirectory(root);
    const stores = storesBelow(root);
    const count = { requests: 0, refused: 0 };
    const { htpasswdFile, tlsCert, tlsKey, maxSize } = request;
    const server = await startServer({
      listen,
      ...(tlsCert === undefined || tlsKey === undefined
        ? {}
        : {
            tls: {
              cert: await readFileBytes(tlsCert, 'certificate'),
              key: await readFileBytes(tlsKey, 'key of the certificate'),
            },
          }),
      stores,
      rules: {
        appendOnly: request.appendOnly ?? false,
        privateRepositories: request.privateRepos ?? false,
      },
      passwords:
        htpasswdFile === undefined
          ? undefined
          : await passwordCheck(path.resolve(workingDirectory, htpasswdFile), clock),
      quota: maxSize === undefined ? UNLIMITED : await quotaOf(root, maxSize),
      onAnswered: (answered) => {
        count.requests += 1;
        if (isRemarkable(answered)) count.refused += 1;
        if (request.verbose || isRemarkable(answered)) progress.note(logLine(answered));
      },
    });
    progress.note(`Serving ${printable(root)} at ${server.url}${describeRules(request)}`);
    await untilAborted(signal);
    await server.stop(PATIENCE_MS);
    await stores.close();
    return { ...count, milliseconds: clock.now() - startedAt };
  };
}

/** What would open the repositories to everybody has to be said in so many words. */
function refuseUnsafe(request: ServeRequest, listen: ListenAddress): void {
  const { htpasswdFile, auth, tlsCert, tlsKey, plainHttp, privateRepos } = request;
  if (auth && htpasswdFile === undefined) {
    throw new Failure('usage', 'nobody could log in: there is no password file', {
      hint: 'Give --htpasswd-file FILE, or --no-auth to let in everybody who can reach it.',
    });
  }
  if (!auth && htpasswdFile !== undefined) {
    throw new Failure('usage', '--no-auth and --htpasswd-file contradict each other');
  }
  if (!auth && privateRepos) {
    throw new Failure('usage', '--private-repos needs users: give --htpasswd-file instead of --no-auth');
  }
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw new Failure('usage', '--tls-cert and --tls-key belong together');
  }
  if (tlsCert === undefined && plainHttp !== true && !isLocal(listen)) {
    throw new Failure('usage', 'passwords would cross the network in the clear', {
      hint: 'Give --tls-cert and --tls-key, or --plain-http where a proxy in front has TLS.',
    });
  }
}

async function requireDirectory(root: string): Promise<void> {
  const stats = await stat(root).catch(() => undefined);
  if (stats?.isDirectory()) return;
  throw new Failure('usage', 'there is no directory to serve', {
    subject: root,
    hint: 'Make it first; if it is on a disk of its own, is that mounted?',
  });
}

/** Not found is what every client hears that looks before it writes. */
function isRemarkable({ status }: Answered): boolean {
  return status >= 400 && status !== 404 && status !== 416;
}

function logLine({ method, target, from, user, status, reason }: Answered): string {
  const who = user === undefined ? from : `${user} at ${from}`;
  const why = reason === undefined ? '' : `: ${reason}`;
  const sign = status >= 400 ? '▲ ' : '';
  return printable(`${sign}${status} ${method} ${target.slice(0, 200)} from ${who}${why}`);
}

function describeRules({ appendOnly, privateRepos, auth }: ServeRequest): string {
  const rules = [
    ...(appendOnly ? ['append-only'] : []),
    ...(privateRepos ? ['a folder for each user'] : []),
    ...(auth ? [] : ['without login']),
  ];
  return rules.length === 0 ? '' : ` (${rules.join(', ')})`;
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => resolve(), { once: true });
  await promise;
}

const PATIENCE_MS = 60_000;
