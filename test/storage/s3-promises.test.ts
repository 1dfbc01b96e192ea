import { randomBytes } from 'node:crypto';
import { createBackend, openBackend, parseAddress } from '@holdfast/engine';
import { describeBackend, type OpenedForTest } from '@holdfast/engine/testing';
import { afterAll } from 'vitest';
import { minio, startMinio } from '../servers/minio.ts';
import type { RunningS3 } from '../servers/s3-server.ts';
import type { Server } from '../servers/server.ts';
import { testWith } from '../servers/test-with.ts';
import { startVersitygw, versitygw } from '../servers/versitygw.ts';
import { putObject } from './s3-scene.ts';

const running: RunningS3[] = [];
afterAll(async () => {
  for (const server of running) await server[Symbol.asyncDispose]();
});

for (const [kind, start] of [
  [minio, startMinio],
  [versitygw, startVersitygw],
] as const satisfies [Server, (program: string) => Promise<RunningS3>][]) {
  const found = await kind.obtain();
  if ('unavailable' in found) {
    testWith(kind)(`${kind.name} keeps the promises of a backend`, () => {});
    continue;
  }
  let server: RunningS3 | undefined;
  describeBackend(kind.name, async (): Promise<OpenedForTest> => {
    if (server === undefined) {
      server = await start(found.path);
      running.push(server);
    }
    const { endpoint, environment } = server;
    const place = `r-${randomBytes(4).toString('hex')}/some/folder`;
    const address = parseAddress(`s3:${endpoint}/${place}`);
    const settings = { extended: new Map(), environment };
    Object.assign(process.env, environment);
    return {
      backend: await createBackend(address, settings),
      reopen: () => openBackend(address, settings),
      addStrangers: async () => {
        for (const directory of ['', 'keys/', 'locks/', 'snapshots/', 'index/', 'data/', 'data/00/']) {
          await putObject(endpoint, place, `${directory}README`);
          await putObject(endpoint, place, `${directory}${'cd'.repeat(32)}-part`);
          await putObject(endpoint, place, `${directory}a b+c%20ü&<`);
        }
        await putObject(endpoint, place, `data/${'ab'.repeat(32)}`);
        await putObject(endpoint, place, `data/00/${'ab'.repeat(32)}`);
      },
    };
  });
}
