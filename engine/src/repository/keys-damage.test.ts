import { beforeAll, describe, expect, test } from 'vitest';
import type { Backend } from '../backend/backend.ts';
import { openMemory } from '../backend/memory/memory.ts';
import { isFailure } from '../kernel/failure.ts';
import { fault } from '../testing/index.ts';
import { flipBit, patientClock, SmallRepository } from '../testing/small-repository.ts';
import { addKey, changePassword, listKeyNames, unlockMasterKey } from './keys.ts';

const kdf = { N: 2 ** 14, r: 8, p: 1 };
let original: SmallRepository;

beforeAll(async () => {
  original = await SmallRepository.create('old');
});

async function opens(small: SmallRepository, password: string): Promise<boolean> {
  try {
    const backend = openMemory({ files: small.files });
    await unlockMasterKey(backend, await listKeyNames(backend), password);
    return true;
  } catch (error) {
    if (isFailure(error, 'repository.wrong-password')) return false;
    throw error;
  }
}

describe('a damaged key file', () => {
  test('locks nobody out who has another one', async () => {
    const copy = original.clone();
    await addKey(copy.repository, 'new', { clock: patientClock, kdf });
    await copy.damage({ type: 'key', name: copy.repository.keyId }, flipBit(0));
    expect(await opens(copy, 'new')).toBe(true);
  });

  test('is what fails, rather than the password, when no other opens', async () => {
    const copy = original.clone();
    await copy.damage({ type: 'key', name: copy.repository.keyId }, flipBit(0));
    await expect(opens(copy, 'old')).rejects.toMatchObject({ code: 'repository.damaged' });
  });
});

describe('changing the password', () => {
  test('leaves the new one alone', async () => {
    const copy = original.clone();
    await changePassword(copy.repository, 'new', { clock: patientClock, kdf });
    expect([await opens(copy, 'old'), await opens(copy, 'new')]).toEqual([false, true]);
  });

  test.each(['fail', 'succeed-then-fail'] as const)(
    'stopped at any write (%s), leaves a password that opens',
    async (does) => {
      for (const call of ['save', 'remove'] as const) {
        const copy = original.clone();
        const wrap = (backend: Backend) => fault(backend, [{ call, does }]);
        const changing = changePassword(copy.behind(wrap), 'new', { clock: patientClock, kdf });
        await expect(changing).rejects.toMatchObject({ code: 'backend.io' });
        expect((await opens(copy, 'old')) || (await opens(copy, 'new'))).toBe(true);
      }
    },
  );

  test('stopped while the new key is read back, leaves the old one', async () => {
    const copy = original.clone();
    const wrap = (backend: Backend) => fault(backend, [{ call: 'load', does: 'cut', type: 'key' }]);
    await expect(
      changePassword(copy.behind(wrap), 'new', { clock: patientClock, kdf }),
    ).rejects.toMatchObject({ code: 'repository.damaged' });
    expect(await opens(copy, 'old')).toBe(true);
  });
});
