import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { openBackend, openLocal, parseAddress } from '@holdfast/engine';
import { noise } from '@holdfast/engine/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sha256Id } from '../../engine/src/kernel/hash.ts';
import { makeCertificates } from '../scenes/certificates.ts';
import { restic } from '../servers/restic.ts';
import type { Obtained } from '../servers/server.ts';
import { testWith } from '../servers/test-with.ts';
import { commandLine } from '../stories/command-line.ts';
import { userLine } from './rest-scene.ts';
import { startServe } from './serve-process.ts';

const execute = promisify(execFile);
const withRestic = testWith(restic);

let base: string;
let served: string;
beforeEach(() => {
  base = mkdtempSync(path.join(tmpdir(), 'holdfast-serve-'));
  served = path.join(base, 'served');
  mkdirSync(path.join(base, 'source', 'letters'), { recursive: true });
  mkdirSync(served);
  for (let index = 0; index < 40; index++) {
    writeFileSync(path.join(base, 'source', 'letters', `${index}.txt`), noise(20_000, index));
  }
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

/** Stock restic, on the repository at `url`; killed when the signal aborts. */
function resticAt(
  url: string,
  program: Obtained,
  signal?: AbortSignal,
): (...words: string[]) => Promise<string> {
  return async (...words) => {
    const options = {
      env: { ...process.env, RESTIC_PASSWORD: 'open sesame', RESTIC_PROGRESS_FPS: '0.1' },
      cwd: path.join(base, 'source'),
      maxBuffer: 1 << 26,
      ...(signal === undefined ? {} : { signal }),
    };
    const common = ['--repo', `rest:${url}`, '--no-cache'];
    const { stdout, stderr } = await execute(program.path, [...common, ...words], options);
    return stdout + stderr;
  };
}

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
}

withRestic('restic keeps a repository on our server through all that it can do', async ({ server }) => {
  await using serving = await startServe(['--path', served, '--listen', '127.0.0.1:0', '--no-auth']);
  const run = resticAt(`${serving.url}stock/`, server);
  await run('init');
  await run('backup', 'letters');
  writeFileSync(path.join(base, 'source', 'letters', 'new.txt'), noise(500_000, 99));
  await run('backup', 'letters');
  expect(await run('forget', '--keep-last', '1', '--prune')).toContain('done');
  expect(await run('check', '--read-data')).toContain('no errors were found');
  await run('restore', 'latest', '--target', path.join(base, 'restored'));
  const { stdout } = await execute('diff', ['-r', path.join(base, 'source'), path.join(base, 'restored')]);
  expect(stdout).toBe('');
  expect(await serving.end('SIGTERM')).toBe(0);
  expect(serving.said()).toMatch(/Stopped after .*: [\d,]+ requests/);
});

withRestic(
  'append-only: restic saves and unlocks, but a thief of its password destroys nothing',
  async ({ server }) => {
    const users = path.join(base, 'users');
    writeFileSync(users, await userLine('anna', 'ge:heim'));
    const words = ['--path', served, '--listen', '127.0.0.1:0', '--private-repos', '--htpasswd-file', users];
    const as = (login: string, url: string, signal?: AbortSignal) =>
      resticAt(`${url.replace('//', `//${login}@`)}anna/`, server, signal);
    {
      await using serving = await startServe(words);
      const run = as('anna:ge%3Aheim', serving.url);
      await run('init');
      await run('backup', 'letters');
      writeFileSync(path.join(base, 'source', 'letters', '0.txt'), noise(20_000, 77));
      await run('backup', 'letters');
      // So that prune has something to remove.
      await run('forget', '--keep-last', '1');
      expect(await serving.end('SIGTERM')).toBe(0);
    }
    await using serving = await startServe([...words, '--append-only']);
    const run = as('anna:ge%3Aheim', serving.url);
    await run('backup', 'letters');
    const before = filesBelow(served);
    const locks: string[] = [];
    for (const [words, folder] of [
      [['forget', 'latest'], 'snapshots'],
      [['prune', '--max-unused', '0'], 'index'],
    ] as const) {
      // restic would try again for minutes.
      const enough = new AbortController();
      const trying = as('anna:ge%3Aheim', serving.url, enough.signal)(...words);
      void serving.says(`403 DELETE /anna/${folder}/`).then(() => enough.abort());
      await expect(trying).rejects.toMatchObject({ name: 'AbortError' });
      // It is killed, so its lock is still there and would keep out the next.
      locks.push(...filesBelow(served).filter((file) => file.includes('/locks/')));
      await run('unlock', '--remove-all');
    }
    expect(locks).toHaveLength(2);
    expect(filesBelow(served).filter((file) => file.includes('/locks/'))).toEqual([]);
    expect(before.filter((file) => !existsSync(file))).toEqual([]);
    await expect(as('anna:wrong', serving.url)('snapshots')).rejects.toThrow(/401/);
    expect(await run('check', '--read-data')).toContain('no errors were found');
    await run('restore', 'latest', '--target', path.join(base, 'restored'));
    await execute('diff', ['-r', path.join(base, 'source'), path.join(base, 'restored')]);
    expect(serving.said()).not.toMatch(/heim|wrong/);
  },
);

test('Holdfast saves and restores over TLS, trusts only whom it is told to, and keeps its password to itself', async () => {
  const { authority, stranger, server } = await makeCertificates(base, 'unused');
  const users = path.join(base, 'users');
  writeFileSync(users, await userLine('anna', 'geheim'));
  await using serving = await startServe([
    ...['--path', served, '--listen', 'localhost:0', '--htpasswd-file', users, '--private-repos'],
    ...['--tls-cert', server.certificate, '--tls-key', server.key],
  ]);
  using machine = commandLine({
    HOLDFAST_REPOSITORY: `rest:${serving.url}anna/laptop/`,
    HOLDFAST_PASSWORD: 'open sesame',
    HOLDFAST_REST_USERNAME: 'anna',
    HOLDFAST_REST_PASSWORD: 'geheim',
    HOLDFAST_CACERT: authority,
  });
  expect(serving.url).toMatch(/^https:\/\/localhost:/);
  const made = await machine.run(['repo', 'init']);
  expect([made.exitCode, made.stderr]).toEqual([0, '']);
  const source = path.join(base, 'source');
  expect((await machine.run(['files', 'backup', source])).exitCode).toBe(0);
  expect((await machine.run(['repo', 'check', '--read-data'])).exitCode).toBe(0);
  const target = path.join(base, 'restored');
  expect((await machine.run(['files', 'restore', 'latest', '--target', target])).exitCode).toBe(0);
  await execute('diff', ['-r', source, path.join(target, source)]);
  const untrusted = await machine.run(['points'], { environment: { HOLDFAST_CACERT: stranger } });
  expect([untrusted.exitCode, untrusted.stderr]).toEqual([1, expect.stringContaining('--cacert')]);
  const thief = await machine.run(['points'], { environment: { HOLDFAST_REST_PASSWORD: 'wrong' } });
  expect([thief.exitCode, thief.stderr]).toEqual([1, expect.stringContaining('HOLDFAST_REST_PASSWORD')]);
  expect(machine.transcript).not.toMatch(/geheim|wrong/);
});

test('the doctor finds our server in order, and says of an append-only one that nothing can be removed', async () => {
  const words = ['--path', served, '--listen', '127.0.0.1:0', '--no-auth'];
  using machine = commandLine({ HOLDFAST_PASSWORD: 'open sesame' });
  let before: string[];
  {
    await using serving = await startServe(words);
    const repo = `rest:${serving.url}home/`;
    const missing = await machine.run(['doctor', 'storage', '--repo', repo]);
    expect([missing.exitCode, missing.stderr]).toEqual([10, expect.stringContaining('repo init')]);
    await machine.run(['repo', 'init', '--repo', repo]);
    before = filesBelow(served);
    const said = await machine.run(['doctor', 'storage', '--repo', repo, '--json']);
    expect([said.exitCode, said.lines().map(({ code }) => code)]).toEqual([
      0,
      ['storage.removable', 'storage.durability-unknown', undefined],
    ]);
    expect(filesBelow(served)).toEqual(before);
  }
  await using serving = await startServe([...words, '--append-only']);
  const said = await machine.run(['doctor', 'storage', '--repo', `rest:${serving.url}home/`]);
  expect([said.exitCode, said.stdout]).toEqual([0, expect.stringContaining('Nothing can be removed')]);
  // What stayed disturbs nobody, and goes with the next prune.
  const repo = path.join(served, 'home');
  expect((await machine.run(['repo', 'check', '--repo', repo])).exitCode).toBe(0);
  expect((await machine.run(['repo', 'prune', '--instant-delete', '--repo', repo])).exitCode).toBe(0);
  expect(filesBelow(served).sort()).toEqual(before.sort());
});

describe('a server that is killed', () => {
  test('in the middle of uploads shows no half file afterwards, and lacks nothing that it acknowledged', async () => {
    const acknowledged = new Set<string>();
    for (let round = 0; round < 3; round++) {
      await using serving = await startServe(['--path', served, '--listen', '127.0.0.1:0', '--no-auth']);
      const address = parseAddress(`rest:${serving.url}`);
      if (round === 0) await post(`${serving.url}?create=true`);
      const backend = await openBackend(address);
      const saveForEver = async (worker: number): Promise<void> => {
        for (let index = 0; ; index++) {
          const data = noise(3_000_000, round * 10_000 + worker * 1000 + index);
          const name = sha256Id(data);
          await backend.save({ type: 'pack', name }, data);
          acknowledged.add(name);
          if (acknowledged.size >= 5 * (round + 1)) await serving.end('SIGKILL');
        }
      };
      const outcomes = await Promise.allSettled([0, 1, 2].map(saveForEver));
      for (const outcome of outcomes)
        expect(outcome).toMatchObject({ reason: { code: 'backend.unreachable' } });
      await backend.close();
    }
    const local = await openLocal({ path: served });
    const found = new Set<string>();
    for await (const { name } of local.list('pack')) {
      expect(sha256Id(await local.load({ type: 'pack', name }))).toBe(name);
      found.add(name);
    }
    expect(acknowledged.size).toBeGreaterThanOrEqual(15);
    expect(acknowledged.isSubsetOf(found)).toBe(true);
  });
});

describe('what would let everybody in has to be said', () => {
  test.each([
    [[], 'nobody could log in'],
    [['--no-auth', '--listen', ':0'], 'in the clear'],
    [['--htpasswd-file', '/dev/null', '--listen', '0.0.0.0:0'], 'in the clear'],
    [['--no-auth', '--private-repos'], 'needs users'],
    [['--no-auth', '--tls-cert', '/dev/null'], 'belong together'],
    [['--htpasswd-file', '/dev/null'], 'names no user'],
  ])('serve %j is refused', async (words, reason) => {
    await expect(startServe(['--path', served, '--listen', '127.0.0.1:0', ...words])).rejects.toThrow(reason);
  });

  test('a directory that is not there is not served', async () => {
    const words = ['--path', path.join(base, 'unmounted'), '--listen', '127.0.0.1:0', '--no-auth'];
    await expect(startServe(words)).rejects.toThrow('no directory to serve');
  });
});

async function post(url: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  request(url, { method: 'POST' }, (answer) => answer.resume().on('end', resolve))
    .on('error', reject)
    .end();
  await promise;
}
