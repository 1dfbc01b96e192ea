import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Backend, CONFIG, createBackend, openBackend, parseAddress, retry } from '@holdfast/engine';
import { afterEach, beforeEach, describe, expect, vi } from 'vitest';
import { systemClock } from '../../engine/src/kernel/clock.ts';
import { sha256Id } from '../../engine/src/kernel/hash.ts';
import { LoopDisk } from '../scenes/loop-disk.ts';
import { loopDisk } from '../servers/loop-disk.ts';
import { Sshd, signal, sshd } from '../servers/sshd.ts';
import { testWith } from '../servers/test-with.ts';
import { placeOn } from './sftp-scene.ts';

const withSshd = testWith(sshd);
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
      await using talkative = await Sshd.start({ subsystem: 'internal-sftp -l VERBOSE' });
      const place = placeOn(talkative);
      const backend = await createBackend(place.address, place.settings);
      const data = randomBytes(MEBIBYTE);
      const name = sha256Id(data);
      await backend.save({ type: 'index', name }, data);
      await backend.close();
      await vi.waitFor(() => expect(talkative.log).toContain(`session closed`));
      const steps = talkative.log
        .split('\n')
        .slice(talkative.log.split('\n').findIndex((line) => line.includes('CREATE')))
        .map((line) =>
          line
            .replaceAll(`${place.directory}/`, '')
            .replace(/-tmp-\w+/, '-tmp')
            .replaceAll(name, 'ID'),
        )
        .flatMap(
          (line) => /^(open|fsync|close|rename|remove) .*?"([^"]*)"/.exec(line)?.slice(1, 3).join(' ') ?? [],
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
    async () => {
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

describe('Who cannot reach an SSH server is told why', () => {
  let server: Sshd;

  beforeEach(async () => {
    if ('unavailable' in (await sshd.obtain())) return;
    server = await Sshd.start();
  });
  afterEach(() => server?.[Symbol.asyncDispose]());

  async function failureOf(options: Record<string, string> = {}, address?: string): Promise<unknown> {
    const place = placeOn(server, options);
    const backend = await openBackend(
      address === undefined ? place.address : parseAddress(address),
      place.settings,
    );
    try {
      return await backend.stat(CONFIG).catch((error: unknown) => error);
    } finally {
      await backend.close();
    }
  }

  const says = (code: string, message: string, hint: string) => ({
    code,
    message: expect.stringContaining(message),
    hint: expect.stringContaining(hint),
  });

  withSshd('a host key that nobody has accepted is not accepted by us', async () => {
    writeFileSync(server.knownHosts, '');
    expect(await failureOf()).toMatchObject(says('backend.denied', 'host key is not known', 'fingerprint'));
    expect(readFileSync(server.knownHosts, 'utf8')).toBe('');
  });

  withSshd('a host key that has changed is a warning, not a way in', async () => {
    await server.kill({ all: true });
    await server.changeHostKey();
    await server.run();
    expect(await failureOf()).toMatchObject(says('backend.denied', 'in between', 'ssh-keygen -R'));
  });

  withSshd('a key that is not authorized', async () => {
    writeFileSync(
      server.clientConfiguration,
      readFileSync(server.clientConfiguration, 'utf8').replace(
        /IdentityFile .*/,
        `IdentityFile ${server.base}/other_key`,
      ),
    );
    expect(await failureOf()).toMatchObject(
      says('backend.denied', 'does not accept the login', 'authorized_keys'),
    );
  });

  withSshd('a port where nothing listens', async () => {
    await server.kill({ all: true });
    expect(await failureOf()).toMatchObject(says('backend.unreachable', 'refused', 'sshd'));
  });

  withSshd('a host that nobody knows', async () => {
    expect(await failureOf({}, 'sftp:no-such-host.invalid:/srv')).toMatchObject(
      says('backend.unreachable', 'name of the server', 'alias'),
    );
  });

  withSshd('a program that is not there', async () => {
    const failure = await failureOf(
      { 'sftp.args': '', 'sftp.command': '/nowhere/ssh' },
      'sftp:host:/srv',
    ).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'usage' });
  });

  withSshd('a login shell that prints a greeting', async () => {
    const place = placeOn(server);
    const settings = {
      ...place.settings,
      extended: new Map([['sftp.command', `echo "Welcome to this machine"`]]),
    };
    const backend = await openBackend(place.address, settings);
    await expect(backend.stat(CONFIG)).rejects.toMatchObject(says('backend.io', 'Welcome', 'greeting'));
    await backend.close();
  });
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
