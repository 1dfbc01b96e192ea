import { describe, expect, test } from 'vitest';
import type { PlainOrSecret, PostgresSystem } from '../policy/model.ts';
import { serverUrl } from './server-url.ts';

const never = new AbortController().signal;
const textOf = async (value: PlainOrSecret) => {
  if (value.kind === 'plain') return value.text;
  return 'p@ss/word';
};

function system(url: string, changes: Partial<PostgresSystem> = {}): PostgresSystem {
  const text = { kind: 'plain', text: url } as const;
  return { kind: 'postgres', url: text, checkpoint: 'spread', evidence: false, ...changes };
}

describe('the address of a server', () => {
  test('is taken as it is where no password lies elsewhere', async () => {
    const url = 'postgres://me:secret@db/shop?sslmode=require';
    expect(await serverUrl(system(url), { textOf }, never)).toBe(url);
  });

  test('gets the password from where the policy refers to, whatever is in it', async () => {
    const password = { kind: 'env', name: 'PASSWORD' } as const;
    const url = await serverUrl(system('postgres://me:old@db/shop', { password }), { textOf }, never);
    expect(decodeURIComponent(new URL(url).password)).toBe('p@ss/word');
    expect(url).toBe('postgres://me:p%40ss%2Fword@db/shop');
  });

  test('that is none is refused, and not told: it may be a secret', async () => {
    const password = { kind: 'env', name: 'PASSWORD' } as const;
    const asked = serverUrl(system('hunter2', { password }), { textOf }, never);
    await expect(asked).rejects.toMatchObject({ code: 'usage' });
    await expect(asked).rejects.not.toThrow('hunter2');
  });
});
