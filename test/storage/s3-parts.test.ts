import { randomBytes } from 'node:crypto';
import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { createBackend, parseAddress } from '@holdfast/engine';
import { noise } from '@holdfast/engine/testing';
import { describe, expect } from 'vitest';
import { sha256Id } from '../../engine/src/kernel/hash.ts';
import { minio, startMinio } from '../servers/minio.ts';
import { testWith } from '../servers/test-with.ts';
import { startVersitygw, versitygw } from '../servers/versitygw.ts';
import { adminOf } from './s3-scene.ts';

const data = noise(70 * 1024 * 1024);
const handle = { type: 'pack', name: sha256Id(data) } as const;

for (const [kind, start] of [
  [minio, startMinio],
  [versitygw, startVersitygw],
] as const) {
  const withServer = testWith(kind);
  describe(`a pack of 70 MiB on ${kind.name}`, () => {
    withServer(
      'goes in parts and comes back whole; a name that is taken is not overwritten',
      async ({ server }) => {
        await using s3 = await start(server.path);
        Object.assign(process.env, s3.environment);
        const bucket = `b-${randomBytes(4).toString('hex')}`;
        const address = parseAddress(`s3:${s3.endpoint}/${bucket}`);
        const backend = await createBackend(address, { extended: new Map(), environment: s3.environment });
        await backend.save(handle, data);
        expect(sha256Id(await backend.load(handle))).toBe(handle.name);
        await expect(backend.save(handle, data)).rejects.toMatchObject({ code: 'backend.exists' });
        await backend.close();
      },
    );

    withServer('leaves nothing behind when it is given up on the way', async ({ server }) => {
      await using s3 = await start(server.path);
      Object.assign(process.env, s3.environment);
      const bucket = `b-${randomBytes(4).toString('hex')}`;
      const address = parseAddress(`s3:${s3.endpoint}/${bucket}`);
      const backend = await createBackend(address, { extended: new Map(), environment: s3.environment });
      const abort = new AbortController();
      const saving = backend.save(handle, data, abort.signal);
      const admin = adminOf(s3.endpoint);
      const uploads = async () =>
        (await admin.send(new ListMultipartUploadsCommand({ Bucket: bucket }))).Uploads ?? [];
      // MinIO lists them by the exact key alone.
      const Prefix = `data/${handle.name.slice(0, 2)}/${handle.name}`;
      const unfinished = async () =>
        (await admin.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix }))).Uploads ?? [];
      while ((await unfinished()).length === 0);
      abort.abort(new Error('enough'));
      await expect(saving).rejects.toThrow('enough');
      expect([await unfinished(), await uploads()]).toEqual([[], []]);
      expect(await Array.fromAsync(backend.list('pack'))).toEqual([]);
      admin.destroy();
      await backend.close();
    });
  });
}
