import { randomBytes } from 'node:crypto';
import { sha256Id } from '../../kernel/hash.ts';
import type { Backend, Handle, ListedFile } from '../backend.ts';

/** A file that nobody else has: its content is random, and its name the hash of it. */
export interface Sample {
  readonly handle: Handle;
  readonly data: Uint8Array<ArrayBuffer>;
}

/** A backend on trial, perhaps with a repository in it, which nothing of this touches. */
export interface Trial {
  readonly backend: Backend;
  readonly signal: AbortSignal | undefined;
  /** Packs, since other programs pass over one that no index names. */
  sample(bytes: number): Sample;
  /** Takes away what is left; answers what cannot be taken away. */
  clear(signal: AbortSignal): Promise<Handle[]>;
}

/** What was seen instead of what is promised. */
export class BrokenPromise extends Error {}

export function beginTrial(backend: Backend, signal?: AbortSignal): Trial {
  const samples: Handle[] = [];
  return {
    backend,
    signal,
    sample(bytes) {
      const data = new Uint8Array(randomBytes(bytes));
      const handle = { type: 'pack', name: sha256Id(data) } as const;
      samples.push(handle);
      return { handle, data };
    },
    async clear(signal) {
      const left: Handle[] = [];
      for (const handle of samples.splice(0)) {
        await backend.remove(handle, signal).catch(async () => {
          if (await isThere(backend, handle, signal)) left.push(handle);
        });
      }
      return left;
    },
  };
}

/** In doubt yes: what might be left is told. */
async function isThere(backend: Backend, handle: Handle, signal: AbortSignal): Promise<boolean> {
  return await backend.stat(handle, signal).then(
    () => true,
    (error: unknown) => codeOf(error) !== 'backend.not-found',
  );
}

/** How one file is listed: once as it should be, or not at all. */
export async function listed({ backend, signal }: Trial, handle: Handle): Promise<ListedFile[]> {
  const found: ListedFile[] = [];
  for await (const file of backend.list(handle.type, signal)) {
    if (file.name === handle.name) found.push(file);
  }
  return found;
}

export function expectThat(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new BrokenPromise(otherwise);
}

/** That a call is refused with this code. Another failure is none of a promise: it is passed on. */
export async function expectRefusal(call: Promise<unknown>, code: string, doing: string): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (codeOf(error) === code) return;
    throw error;
  }
  throw new BrokenPromise(`${doing} was not refused`);
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
