import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseAddress } from '../../engine/src/backend/address.ts';
import type { Backend } from '../../engine/src/backend/backend.ts';
import { createBackend, openBackend } from '../../engine/src/backend/registry.ts';
import { minio, startMinio } from '../servers/minio.ts';
import { startServe } from '../storage/serve-process.ts';

/** The two repositories: one that is written to, and the copy of it, which is written to as well now and then. */
export const SIDES = ['main', 'copy'] as const;
export type Side = (typeof SIDES)[number];

export function otherThan(side: Side): Side {
  return side === 'main' ? 'copy' : 'main';
}

/** Where both repositories lie. Disposing ends the server, if there is one. */
export interface Storage extends AsyncDisposable {
  /** In restic's notation. */
  address(side: Side): string;
  /** What every program needs to reach it. */
  readonly environment: Readonly<Record<string, string>>;
}

/** The kinds of storage by their names on the command line; `base` is a directory for what they keep. */
export const storages: Readonly<Record<string, (base: string) => Promise<Storage>>> = {
  local: async (base) => ({
    address: (side) => join(base, side),
    environment: {},
    [Symbol.asyncDispose]: async () => undefined,
  }),
  minio: async () => {
    const found = await minio.obtain();
    if ('unavailable' in found) throw new Error(found.unavailable);
    const server = await startMinio(found.path);
    // This process looks at the repositories too, and the S3 client's own chain finds its keys here.
    Object.assign(process.env, server.environment);
    const bucket = `model-${randomBytes(4).toString('hex')}`;
    return {
      address: (side) => `s3:${server.endpoint}/${bucket}/${side}`,
      environment: { ...server.environment },
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  },
  serve: async (base) => {
    const root = join(base, 'served');
    mkdirSync(root);
    const server = await startServe(['--path', root, '--no-auth', '--listen', '127.0.0.1:0']);
    return {
      address: (side) => `rest:${server.url.replace(/\/$/, '')}/${side}/`,
      environment: {},
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  },
};

export async function openSide(storage: Storage, side: Side): Promise<Backend> {
  return await openBackend(parseAddress(storage.address(side)), settingsOf(storage));
}

export async function createSide(storage: Storage, side: Side): Promise<Backend> {
  return await createBackend(parseAddress(storage.address(side)), settingsOf(storage));
}

function settingsOf({ environment }: Storage) {
  return { extended: new Map<string, string>(), environment };
}
