import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { systemClock } from '@holdfast/engine';
import { hash } from 'bcryptjs';
import type { Answered } from '../../app/src/http/repository-server/handler.ts';
import { passwordCheck } from '../../app/src/http/repository-server/password-check.ts';
import { quotaOf, UNLIMITED } from '../../app/src/http/repository-server/quota.ts';
import {
  type RunningServer,
  type ServerOptions,
  startServer,
} from '../../app/src/http/repository-server/server.ts';
import { storesBelow } from '../../app/src/http/repository-server/stores.ts';

/** Our server in this process, on a directory of its own. Disposing stops it and removes that. */
export interface RestScene extends AsyncDisposable {
  readonly server: RunningServer;
  readonly root: string;
  /** What was answered so far. */
  readonly answered: readonly Answered[];
}

export interface SceneOptions extends Partial<Pick<ServerOptions, 'listen' | 'tls'>> {
  readonly appendOnly?: boolean;
  readonly privateRepositories?: boolean;
  /** Bytes. */
  readonly maxSize?: number;
  /** The text of an htpasswd file. */
  readonly users?: string;
}

export async function restScene(options: SceneOptions = {}): Promise<RestScene> {
  const root = await mkdtemp(path.join(tmpdir(), 'holdfast-rest-'));
  const { appendOnly = false, privateRepositories = false, users, maxSize, ...rest } = options;
  const passwordFile = path.join(root, '.htpasswd');
  if (users !== undefined) await writeFile(passwordFile, users);
  const answered: Answered[] = [];
  const stores = storesBelow(root);
  const server = await startServer({
    listen: { kind: 'port', host: '127.0.0.1', port: 0 },
    quota: maxSize === undefined ? UNLIMITED : await quotaOf(root, maxSize),
    ...rest,
    stores,
    rules: { appendOnly, privateRepositories },
    passwords: users === undefined ? undefined : await passwordCheck(passwordFile, systemClock),
    onAnswered: (answer) => answered.push(answer),
  });
  return {
    server,
    root,
    answered,
    async [Symbol.asyncDispose]() {
      await server.stop(0);
      await stores.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** A line of an htpasswd file; cheap, since tests log in often. */
export async function userLine(user: string, password: string): Promise<string> {
  return `${user}:${await hash(password, 4)}\n`;
}
