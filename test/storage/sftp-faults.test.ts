import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { type Backend, CONFIG, createBackend, openBackend, retry } from '@holdfast/engine';
import { afterEach, beforeEach, describe, expect, vi } from 'vitest';
import { systemClock } from '../../engine/src/kernel/clock.ts';
import { sha256Id } from '../../engine/src/kernel/hash.ts';
import { LoopDisk } from '../scenes/loop-disk.ts';
import { loopDisk } from '../servers/loop-disk.ts';
import { Sshd, signal, sshd } from '../servers/sshd.ts';
import { testWith } from '../servers/test-with.ts';
import { placeOn } from './sftp-scene.ts';

const withSshd = testWith(sshd);
/** Where Debian, Fedora and Alpine keep what `Subsystem` runs. */
const SERVER_PROGRAM = ['/usr/lib/openssh', '/usr/libexec/openssh', '/usr/lib/ssh']
  .map((folder) => `${folder}/sftp-server`)
  .find(existsSync);
const MEBIBYTE = 1024 * 1024;

describe('A repository on an SSH server', () => {
  let server: Sshd;
  const opened: Backend[] = [];

  beforeEach(async () => {
    if ('unavailable' in (await sshd.obtain())) return;
    server = await Sshd.start();
  });

  afterEach(async () => {
    for (const backend of opened.splice(0)) await backend.close().catch(() => undefined);
    await server?.[Symbol.asyncDispose]();
  });

  async function create(place: ReturnType<typeof placeOn>): Promise<Backend> {
    const backend = await createBackend(place.address, place.settings);
    opened.push(backend);
    return backend;
  }

  async function open(place: ReturnType<typeof placeOn>): Promise<Backend> {
    const backend = await openBackend(place.address, place.settings);
    opened.push(backend);
    return backend;
  }

  withSshd('a save goes on after the server was killed in the middle of it', async () => {
    const place = placeOn(server);
    const backend = retry(await create(place), { clock: systemClock, random: () => 0.5 });
    const data = randomBytes(96 * MEBIBYTE);
    const handle = { type: 'index', name: sha256Id(data) } as const;
    const folder = path.join(place.directory, 'index');
    let over = false;
    const saving = backend.save(handle, data).finally(() => {
      over = true;
    });
    await vi.waitFor(() => expect(sizeOfOnly(folder)).toBeGreaterThan(MEBIBYTE), {
      timeout: 20_000,
      interval: 2,
    });
    await server.kill({ all: true });
    expect(over).toBe(false);
    expect(sizeOfOnly(folder)).toBeLessThan(data.length);
    await server.run();
    await saving;
    expect(sha256Id(readFileSync(path.join(folder, handle.name)))).toBe(handle.name);
    const names = [];
    for await (const file of backend.list('index')) names.push(file);
    expect(names).toEqual([{ name: handle.name, size: data.length }]);
  });

  withSshd(
    'a connection that has stalled is given up after the time limit, and the next call has a new one',
    async () => {
      const place = placeOn(server, { 'sftp.timeout': '1', 'sftp.connections': '1' });
      const backend = await create(place);
      await backend.save(CONFIG, randomBytes(100));
      for (const pid of await server.connections()) signal(pid, 'SIGSTOP');
      await expect(backend.load(CONFIG)).rejects.toMatchObject({
        code: 'backend.unreachable',
        message: expect.stringContaining('1 seconds'),
      });
      expect((await backend.load(CONFIG)).length).toBe(100);
    },
  );

  withSshd('an abort does not wait for a connection that has stalled, and neither does the end', async () => {
    const place = placeOn(server, { 'sftp.connections': '1' });
    const backend = await create(place);
    await backend.save(CONFIG, randomBytes(100));
    for (const pid of await server.connections()) signal(pid, 'SIGSTOP');
    const abort = new AbortController();
    const calls = [
      backend.load(CONFIG, undefined, abort.signal),
      backend.save({ type: 'key', name: 'a'.repeat(64) }, randomBytes(100), abort.signal),
      backend.remove(CONFIG, abort.signal),
    ];
    const reason = new Error('enough');
    abort.abort(reason);
    for (const call of calls) await expect(call).rejects.toBe(reason);
    await backend.close();
  });

  withSshd(
    'content is on the disk before its name, and the name before the save is acknowledged',
    async () => {
      const log = path.join(server.base, 'log');
      const command = `sh -c "exec ${SERVER_PROGRAM} -e -l VERBOSE 2>> ${log}"`;
      const place = placeOn(server, { 'sftp.command': command });
      const backend = await create(place);
      await backend.close();
      writeFileSync(log, '');
      const again = await open(place);
      const data = randomBytes(MEBIBYTE);
      const name = sha256Id(data);
      await again.save({ type: 'index', name }, data);
      await again.close();
      const steps = readFileSync(log, 'utf8')
        .replaceAll(`${place.directory}/`, '')
        .replaceAll(name, 'ID')
        .replaceAll(/-tmp-\w+/g, '-tmp')
        .split('\n')
        .flatMap(
          (line) =>
            /^(open|fsync|close|rename|remove)\b.*? "([^"]*)"/.exec(line)?.slice(1, 3).join(' ') ?? [],
        );
      expect(steps).toEqual([
        'open index/ID-tmp',
        'fsync index/ID-tmp',
        'close index/ID-tmp',
        'rename index/ID-tmp',
        `open index`,
        'fsync index',
        'close index',
      ]);
    },
  );

  withSshd('where fewer logins are allowed than connections wanted, those have to do', async () => {
    const place = placeOn(server);
    const backend = await create(place);
    await backend.save(CONFIG, randomBytes(100));
    writeFileSync(path.join(server.base, 'authorized_keys'), '');
    const contents = Array.from({ length: 12 }, () => randomBytes(1000));
    await Promise.all(contents.map((data) => backend.save({ type: 'pack', name: sha256Id(data) }, data)));
    const names: string[] = [];
    for await (const { name } of backend.list('pack')) names.push(name);
    expect(names.sort()).toEqual(contents.map(sha256Id).sort());
  });

  withSshd('what a killed save left a day ago is cleared by the next save beside it', async () => {
    const place = placeOn(server);
    const backend = await create(place);
    const folder = path.join(place.directory, 'index');
    const [old, young] = ['a', 'b'].map((digit) => `${digit.repeat(64)}-tmp-0123456789abcdef`) as [
      string,
      string,
    ];
    for (const name of [old, young]) writeFileSync(path.join(folder, name), 'half');
    const twoDaysAgo = new Date(Date.now() - 2 * 24 * 60 * 60 * 1000);
    utimesSync(path.join(folder, old), twoDaysAgo, twoDaysAgo);
    const data = randomBytes(10);
    await backend.save({ type: 'index', name: sha256Id(data) }, data);
    expect(readdirSync(folder).sort()).toEqual([sha256Id(data), young].sort());
  });

  withSshd('files are read-only there, and readable for the group when the config is', async () => {
    const place = placeOn(server);
    const backend = await create(place);
    await backend.save(CONFIG, randomBytes(10));
    const modeOf = (name: string) => statSync(path.join(place.directory, name)).mode & 0o777;
    expect(modeOf('config')).toBe(0o400);
    expect(modeOf('keys')).toBe(0o700);
    const shared = placeOn(server);
    await create(shared);
    writeFileSync(path.join(shared.directory, 'config'), 'x', { mode: 0o640 });
    const data = randomBytes(10);
    const again = await open(shared);
    await again.save({ type: 'key', name: sha256Id(data) }, data);
    expect(statSync(path.join(shared.directory, 'keys', sha256Id(data))).mode & 0o777).toBe(0o440);
  });

  withSshd('a repository whose disk was unmounted is not begun anew in the empty mount point', async () => {
    const place = placeOn(server);
    const backend = await open(place);
    mkdirSync(path.dirname(place.directory));
    const data = randomBytes(10);
    await expect(backend.save({ type: 'pack', name: sha256Id(data) }, data)).rejects.toMatchObject({
      code: 'backend.unreachable',
    });
    expect(readdirSync(path.dirname(place.directory))).toEqual([]);
  });

  withSshd('a repository is not created over another', async () => {
    const place = placeOn(server);
    await (await create(place)).save(CONFIG, randomBytes(10));
    await expect(create(place)).rejects.toMatchObject({ code: 'backend.exists' });
  });

  testWith(loopDisk)(
    'a full disk is called one, leaves nothing behind, and what fits still goes',
    async ({ skip }) => {
      const found = await sshd.obtain();
      if ('unavailable' in found) skip(found.unavailable);
      using disk = new LoopDisk(16);
      const place = placeOn(server, {}, disk.path);
      const backend = await create(place);
      const large = randomBytes(20 * MEBIBYTE);
      await expect(backend.save({ type: 'index', name: sha256Id(large) }, large)).rejects.toMatchObject({
        code: 'backend.full',
      });
      expect(readdirSync(path.join(place.directory, 'index'))).toEqual([]);
      const small = randomBytes(MEBIBYTE);
      await backend.save({ type: 'index', name: sha256Id(small) }, small);
      await backend.close();
      await server.kill({ all: true });
    },
  );
});

describe('An SSH server that only lets us read', () => {
  withSshd('serves what is there and refuses to write or remove, as denied', async () => {
    await using writable = await Sshd.start();
    const place = placeOn(writable);
    await using stack = new AsyncDisposableStack();
    const before = await createBackend(place.address, place.settings);
    stack.defer(() => before.close());
    await before.save(CONFIG, randomBytes(10));
    await using server = await Sshd.start({ subsystem: 'internal-sftp -R' });
    const elsewhere = placeOn(server);
    const backend = await openBackend(place.address, elsewhere.settings);
    stack.defer(() => backend.close());
    expect((await backend.load(CONFIG)).length).toBe(10);
    const denied = { code: 'backend.denied' };
    await expect(backend.save({ type: 'key', name: 'a'.repeat(64) }, randomBytes(1))).rejects.toMatchObject(
      denied,
    );
    await expect(backend.remove(CONFIG)).rejects.toMatchObject(denied);
  });
});

function sizeOfOnly(folder: string): number {
  const [name] = readdirSync(folder);
  return name === undefined ? 0 : statSync(path.join(folder, name)).size;
}
