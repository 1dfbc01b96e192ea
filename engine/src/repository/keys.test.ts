import { beforeEach, describe, expect, test } from 'vitest';
import type { Backend } from '../backend/backend.ts';
import { type MemoryFiles, openMemory } from '../backend/memory/memory.ts';
import { systemClock as clock } from '../kernel/clock.ts';
import { sha256Id } from '../kernel/hash.ts';
import { fault } from '../testing/index.ts';
import { addKey, changePassword, listKeys, removeKey } from './keys.ts';
import { createRepository, openRepository } from './open.ts';
import type { Repository } from './repository.ts';

/** The least that scrypt takes: these tests are not about its strength. */
const kdf = { N: 2, r: 1, p: 1 };
const options = { clock, kdf };

let files: MemoryFiles;
let backend: Backend;
let repository: Repository;

beforeEach(async () => {
  files = new Map();
  backend = openMemory({ files });
  repository = await createRepository(backend, 'first', options);
});

async function opens(password: string): Promise<boolean> {
  return await openRepository(backend, password).then(
    (opened) => Buffer.from(opened.key.encrypt).equals(repository.key.encrypt),
    () => false,
  );
}

describe('the passwords of a repository', () => {
  test('the one it was made with opens it, another one does not', async () => {
    expect(await opens('first')).toBe(true);
    await expect(openRepository(backend, 'second')).rejects.toMatchObject({
      code: 'repository.wrong-password',
      exitCode: 12,
    });
  });

  test('a second one opens it as well, and the list shows both, with the one in use', async () => {
    const id = await addKey(repository, 'sécond', {
      ...options,
      owner: { username: 'ops', hostname: 'offsite' },
    });
    expect([await opens('first'), await opens('sécond')]).toEqual([true, true]);
    const keys = await listKeys(repository);
    expect(keys.map((key) => [key.id, key.current])).toEqual([
      [repository.keyId, true],
      [id, false],
    ]);
    expect(keys[1]).toMatchObject({ username: 'ops', hostname: 'offsite' });
  });

  test('a removed one opens it no longer', async () => {
    const id = await addKey(repository, 'second', options);
    await removeKey(repository, id);
    expect([await opens('first'), await opens('second')]).toEqual([true, false]);
  });

  test('a changed one replaces the other', async () => {
    await changePassword(repository, 'second', options);
    expect([await opens('first'), await opens('second')]).toEqual([false, true]);
  });

  test('the one in use is not removed, nor any other once that is gone', async () => {
    const id = await addKey(repository, 'second', options);
    await expect(removeKey(repository, repository.keyId)).rejects.toMatchObject({
      code: 'repository.last-key',
    });
    const other = await openRepository(backend, 'second');
    await removeKey(other, repository.keyId);
    await expect(removeKey(repository, id)).rejects.toMatchObject({ code: 'repository.last-key' });
    expect(await opens('second')).toBe(true);
  });

  test('whatever call of a change fails, one of the two opens it', async () => {
    for (const call of ['save', 'load', 'remove'] as const) {
      for (const does of call === 'load'
        ? (['fail', 'cut'] as const)
        : (['fail', 'succeed-then-fail'] as const)) {
        const copy: MemoryFiles = new Map(files);
        const broken = fault(openMemory({ files: copy }), [{ call, type: 'key', does } as never]);
        const inner = openMemory({ files: copy });
        const opened = await openRepository(inner, 'first');
        const victim = Object.assign(Object.create(Object.getPrototypeOf(opened) as object), opened, {
          backend: broken,
        });
        await expect(changePassword(victim as Repository, 'second', options)).rejects.toThrow();
        const either = await Promise.allSettled([
          openRepository(inner, 'first'),
          openRepository(inner, 'second'),
        ]);
        expect(either.some(({ status }) => status === 'fulfilled')).toBe(true);
      }
    }
  });

  test('a key that is damaged or of a kind we do not know locks nobody else out', async () => {
    for (const content of ['{"created":', '{"kdf":"argon3","N":1}', '']) {
      const bytes = Buffer.from(content);
      await backend.save({ type: 'key', name: sha256Id(bytes) }, bytes);
    }
    expect(await opens('first')).toBe(true);
    await expect(openRepository(backend, 'second')).rejects.toMatchObject({
      code: 'repository.wrong-password',
    });
    await backend.remove({ type: 'key', name: repository.keyId });
    await expect(openRepository(backend, 'first')).rejects.toMatchObject({
      code: expect.stringMatching(/^repository\.(damaged|unsupported)$/),
    });
  });
});

describe('making and opening a repository', () => {
  test('where there is one no second one is made, and the first stays as it is', async () => {
    const before = new Map(files);
    await expect(createRepository(backend, 'x', options)).rejects.toMatchObject({
      code: 'repository.exists',
    });
    expect(files).toEqual(before);
  });

  test('where there is none, that is what is said', async () => {
    await expect(openRepository(openMemory(), 'x')).rejects.toMatchObject({
      code: 'repository.missing',
      exitCode: 10,
    });
  });

  test('a config that could not be saved leaves no key behind, so that it can be tried again', async () => {
    const fresh: MemoryFiles = new Map();
    const broken = fault(openMemory({ files: fresh }), [{ call: 'save', type: 'config', does: 'fail' }]);
    await expect(createRepository(broken, 'x', options)).rejects.toMatchObject({ code: 'backend.io' });
    expect(fresh.size).toBe(0);
    await createRepository(broken, 'x', options);
    await openRepository(openMemory({ files: fresh }), 'x');
  });

  test('a config whose save succeeded, with the answer lost, keeps its key', async () => {
    const fresh: MemoryFiles = new Map();
    const broken = fault(openMemory({ files: fresh }), [
      { call: 'save', type: 'config', does: 'succeed-then-fail' },
    ]);
    await expect(createRepository(broken, 'x', options)).rejects.toMatchObject({ code: 'backend.io' });
    await openRepository(openMemory({ files: fresh }), 'x');
  });

  test('beside the key of an init that was killed no other is put: a password could open the wrong one', async () => {
    const fresh: MemoryFiles = new Map();
    const killed = openMemory({ files: fresh });
    await createRepository(killed, 'x', options);
    await killed.remove({ type: 'config', name: 'config' });
    await expect(createRepository(killed, 'x', options)).rejects.toMatchObject({ code: 'repository.exists' });
  });

  test('it has the version and the chunker parameters that were asked for', async () => {
    const other = openMemory();
    await createRepository(other, 'x', {
      ...options,
      version: 1,
      chunkerPolynomial: repository.config.chunkerPolynomial,
    });
    const { config } = await openRepository(other, 'x');
    expect(config).toMatchObject({ version: 1, chunkerPolynomial: repository.config.chunkerPolynomial });
    expect(config.id).not.toBe(repository.config.id);
  });
});
