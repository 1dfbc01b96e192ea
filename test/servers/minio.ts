import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from './free-port.ts';
import { installWithGo } from './go-install.ts';
import { startHttpServer } from './http-server.ts';
import { ACCESS_KEY, credentials, type RunningS3, SECRET_KEY } from './s3-server.ts';
import type { Server } from './server.ts';

/** The last version of its open-source server. */
export const minio: Server = {
  name: 'MinIO',
  obtain: () =>
    installWithGo({
      name: 'minio',
      module: 'github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c',
      version: '2026-02-12',
    }),
};

/** `settings` are variables of MinIO's, besides what every test wants. */
export async function startMinio(
  program: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<RunningS3> {
  const directory = await mkdtemp(path.join(tmpdir(), 'holdfast-minio-'));
  const endpoint = `http://127.0.0.1:${await freePort()}`;
  const server = await startHttpServer({
    program,
    args: ['server', '--quiet', '--address', endpoint.slice('http://'.length), directory],
    env: {
      PATH: process.env['PATH'],
      HOME: directory,
      MINIO_ROOT_USER: ACCESS_KEY,
      MINIO_ROOT_PASSWORD: SECRET_KEY,
      MINIO_BROWSER: 'off',
      MINIO_UPDATE: 'off',
      MINIO_CALLHOME_ENABLE: 'off',
      MINIO_SCANNER_SPEED: 'fastest',
      ...settings,
    },
    healthUrl: `${endpoint}/minio/health/ready`,
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
