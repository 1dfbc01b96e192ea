import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import { treeFacts } from '../scenes/tree-facts.ts';
import { HostileProxy, type Mischief } from '../servers/hostile-proxy.ts';
import { minio, startMinio } from '../servers/minio.ts';
import { testWith } from '../servers/test-with.ts';
import { growTree, newPlace, userOf } from './s3-user.ts';

const withMinio = testWith(minio);

const TROUBLE: readonly Mischief[] = [
  'reset',
  'lost-answer',
  'cut',
  'twice',
  { status: 500, code: 'InternalError' },
  { status: 503, code: 'SlowDown' },
  { status: 429, code: 'TooManyRequests' },
];

withMinio.for([1, 2, 3])(
  'through a network that breaks one request in eight, all comes back (seed %i)',
  async (seed, { server }) => {
    await using s3 = await startMinio(server.path);
    await using proxy = await HostileProxy.before(s3.endpoint);
    using user = userOf(s3);
    const tree = growTree(user);
    const repo = ['--repo', newPlace(proxy.endpoint)];
    const random = numbers(seed);
    proxy.choose = () => (random() < 1 / 8 ? TROUBLE[Math.floor(random() * TROUBLE.length)] : undefined);
    for (const words of [
      ['repo', 'init'],
      ['files', 'backup', 'tree'],
      ['files', 'backup', 'tree'],
      ['repo', 'check', '--read-data'],
      ['files', 'restore', 'latest', '--target', 'back'],
    ]) {
      const { exitCode, stderr } = await user.run([...words, ...repo]);
      expect({ words, exitCode, stderr }).toMatchObject({ exitCode: 0 });
    }
    expect(treeFacts(path.join(user.directory, 'back', 'tree'))).toEqual(treeFacts(tree));
    expect(proxy.befallen.length).toBeGreaterThan(3);
  },
);

withMinio('a byte that is changed on the way never becomes part of a file', async ({ server }) => {
  await using s3 = await startMinio(server.path);
  await using proxy = await HostileProxy.before(s3.endpoint);
  using user = userOf(s3);
  const tree = growTree(user);
  const repo = ['--repo', newPlace(proxy.endpoint)];
  await user.run(['repo', 'init', ...repo]);
  await user.run(['files', 'backup', 'tree', ...repo]);
  let packs = 0;
  proxy.choose = (method, url) =>
    method === 'GET' && /\/data\//.test(url) && ++packs === 2 ? 'flip' : undefined;
  const { exitCode, stderr } = await user.run(['files', 'restore', 'latest', '--target', 'back', ...repo]);
  expect(proxy.befallen).toEqual(['flip']);
  // Told as what it is, or read again and right: never a wrong file.
  if (exitCode === 0) expect(treeFacts(path.join(user.directory, 'back', 'tree'))).toEqual(treeFacts(tree));
  else expect(stderr).toMatch(/damaged|could not be restored/);
});

withMinio('a server that falls silent is given up in time, and asked again', async ({ server }) => {
  await using s3 = await startMinio(server.path);
  await using proxy = await HostileProxy.before(s3.endpoint);
  using user = userOf(s3);
  const tree = growTree(user);
  const repo = ['--repo', newPlace(proxy.endpoint), '-o', 's3.timeout=1'];
  await user.run(['repo', 'init', ...repo]);
  let requests = 0;
  proxy.choose = () => (++requests % 10 === 0 ? 'stall' : undefined);
  expect(await user.run(['files', 'backup', 'tree', ...repo])).toMatchObject({ exitCode: 0 });
  expect(proxy.befallen).not.toEqual([]);
  proxy.choose = () => undefined;
  expect(await user.run(['files', 'restore', 'latest', '--target', 'back', ...repo])).toMatchObject({
    exitCode: 0,
  });
  expect(treeFacts(path.join(user.directory, 'back', 'tree'))).toEqual(treeFacts(tree));
});

withMinio('credentials that end midway are asked for again', async ({ server }) => {
  await using s3 = await startMinio(server.path);
  await using proxy = await HostileProxy.before(s3.endpoint);
  using user = userOf({ environment: { AWS_EC2_METADATA_DISABLED: 'true' } }, { AWS_PROFILE: 'backup' });
  const asked = path.join(user.directory, 'asked');
  writeCredentialProcess(user.directory, asked, s3);
  growTree(user);
  const repo = ['--repo', newPlace(proxy.endpoint)];
  expect(await user.run(['repo', 'init', ...repo])).toMatchObject({ exitCode: 0 });
  const before = readFileSync(asked, 'utf8').length;
  let packs = 0;
  proxy.choose = (method, url) =>
    method === 'PUT' && /\/data\//.test(url) && ++packs === 1
      ? { status: 400, code: 'ExpiredToken' }
      : undefined;
  expect(await user.run(['files', 'backup', 'tree', ...repo])).toMatchObject({ exitCode: 0 });
  expect(proxy.befallen).toHaveLength(1);
  // Once to begin with, and once more.
  expect(readFileSync(asked, 'utf8').length - before).toBeGreaterThanOrEqual(2);
});

withMinio('no key and no password is shown, whatever goes wrong', async ({ server }) => {
  await using s3 = await startMinio(server.path);
  using user = userOf(s3);
  const repo = ['--repo', newPlace(s3.endpoint)];
  await user.run(['repo', 'init', ...repo]);
  const wrong = { environment: { AWS_SECRET_ACCESS_KEY: 'planted-wrong-secret' } };
  const denied = await user.run(['points', ...repo], wrong);
  expect(denied.exitCode).toBe(1);
  expect(denied.stderr).toContain('backend.denied');
  await user.run(['points', ...repo], { environment: { HOLDFAST_PASSWORD: 'planted-wrong-password' } });
  await user.run(['points', '--json', ...repo], wrong);
  for (const secret of [s3.secretKey, 'planted-wrong-secret', 'planted-wrong-password', 'correct horse']) {
    expect(user.transcript).not.toContain(secret);
  }
});

/** A profile whose keys a program tells, which leaves a mark each time it is asked. */
function writeCredentialProcess(
  home: string,
  asked: string,
  { accessKey, secretKey }: { readonly accessKey: string; readonly secretKey: string },
): void {
  const program = path.join(home, 'credentials.sh');
  const answer = JSON.stringify({
    Version: 1,
    AccessKeyId: accessKey,
    SecretAccessKey: secretKey,
    Expiration: new Date(Date.now() + 3_600_000).toISOString(),
  });
  if (!existsSync(asked)) writeFileSync(asked, '');
  writeFileSync(program, `#!/bin/sh\nprintf x >> '${asked}'\necho '${answer}'\n`);
  chmodSync(program, 0o700);
  mkdirSync(path.join(home, '.aws'));
  writeFileSync(path.join(home, '.aws', 'config'), `[profile backup]\ncredential_process = "${program}"\n`);
}

/** The same numbers from 0 to 1 in every run (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed * 0x9e3779b9;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
