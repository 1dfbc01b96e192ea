import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from './free-port.ts';
import { installWithGo } from './go-install.ts';
import { startHttpServer } from './http-server.ts';
import { ACCESS_KEY, credentials, type RunningS3, SECRET_KEY } from './s3-server.ts';
import type { Server } from './server.ts';

export const versitygw: Server = {
  name: 'VersityGW',
  obtain: () =>
    installWithGo({
      name: 'versitygw',
      module: 'github.com/versity/versitygw/cmd/versitygw@v1.8.0',
      version: '1.8.0',
    }),
};

export async function startVersitygw(program: string): Promise<RunningS3> {
  const directory = await mkdtemp(path.join(tmpdir(), 'holdfast-versitygw-'));
  for (const folder of ['data', 'versions']) await mkdir(path.join(directory, folder));
  const endpoint = `http://127.0.0.1:${await freePort()}`;
  const listen = [
    '--port',
    endpoint.slice('http://'.length),
    '--health',
    '/health',
    '--quiet',
    '--keep-alive',
  ];
  const store = ['posix', '--versioning-dir', path.join(directory, 'versions'), path.join(directory, 'data')];
  const server = await startHttpServer({
    program,
    args: [...listen, ...store],
    env: { PATH: process.env['PATH'], ROOT_ACCESS_KEY: ACCESS_KEY, ROOT_SECRET_KEY: SECRET_KEY },
    healthUrl: `${endpoint}/health`,
  });
  return {
    endpoint,
    ...credentials,
    log: server.log,
    async [Symbol.asyncDispose]() {
      await server.stop();
      await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
