import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { resolveSettings } from './storage-options.ts';

const directory = mkdtempSync(join(tmpdir(), 'holdfast-settings-'));
afterAll(() => rmSync(directory, { recursive: true }));

test('options of a kind of storage are pairs, whose values may hold anything', async () => {
  const { extended } = await resolveSettings(
    { option: ['s3.region=eu', 'sftp.command=ssh -o X=y host'] },
    {},
  );
  expect(Object.fromEntries(extended)).toEqual({ 's3.region': 'eu', 'sftp.command': 'ssh -o X=y host' });
});

test.each(['s3.region', '=x', ''])('what is no pair is refused: %j', async (option) => {
  await expect(resolveSettings({ option: [option] }, {})).rejects.toMatchObject({ code: 'usage' });
});

test('an authority is read from where the option, then the variables say', async () => {
  const [ours, restics] = ['ours.pem', 'restic.pem'].map((name) => {
    writeFileSync(join(directory, name), name);
    return join(directory, name);
  });
  const environment = { HOLDFAST_CACERT: '', RESTIC_CACERT: restics };
  expect((await resolveSettings({}, environment)).authority?.toString()).toBe('restic.pem');
  expect((await resolveSettings({ cacert: ours as string }, environment)).authority?.toString()).toBe(
    'ours.pem',
  );
  expect((await resolveSettings({}, {})).authority).toBeUndefined();
  await expect(resolveSettings({ cacert: join(directory, 'none') }, {})).rejects.toMatchObject({
    code: 'usage',
  });
});
