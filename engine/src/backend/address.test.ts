import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseAddress } from './address.ts';
import { CONFIG } from './backend.ts';
import { createBackend, openBackend } from './registry.ts';

test.each([
  ['/srv/backup', '/srv/backup'],
  ['backup', 'backup'],
  ['./backup', './backup'],
  ['../backup', '../backup'],
  ['local:/srv/backup', '/srv/backup'],
  ['local:backup', 'backup'],
  ['local:s3:backup', 's3:backup'],
  ['/srv/10:30', '/srv/10:30'],
  ['./s3:backup', './s3:backup'],
  ['~/backup', '~/backup'],
  ['s3', 's3'],
])('%s is the directory %s', (text, path) => {
  expect(parseAddress(text)).toEqual({ scheme: 'local', path });
});

test.each([
  ['azure:example.org:/', 'azure'],
  ['b2:bucket:path', 'b2'],
])('%s is understood, and refused for now without repeating what may be secret', async (text, scheme) => {
  const address = parseAddress(text);
  expect(address.scheme).toBe(scheme);
  for (const call of [openBackend, createBackend]) {
    const failure = await call(address).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'repository.unsupported' });
    expect(String(failure)).not.toContain('example.org');
  }
});

test.each(['', 'local:', 'ftp:/srv', 'C:backup', 'https://user:secret@example.org'])(
  '%j is no address',
  (text) => {
    expect(() => parseAddress(text)).toThrow(expect.objectContaining({ code: 'usage' }));
    expect(() => parseAddress(text)).not.toThrow('secret');
  },
);

test('a repository made at an address is opened at the same address', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-address-'));
  try {
    const address = parseAddress(`local:${directory}/new/repository`);
    const created = await createBackend(address);
    await created.save(CONFIG, new Uint8Array([1, 2, 3]));
    const opened = await openBackend(address);
    expect(opened.location).toBe(`${directory}/new/repository`);
    expect(await opened.load(CONFIG)).toEqual(new Uint8Array([1, 2, 3]));
  } finally {
    rmSync(directory, { recursive: true });
  }
});
