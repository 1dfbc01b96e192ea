import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { CONFIG, openBackend, parseAddress } from '@holdfast/engine';
import { afterEach, beforeEach, describe, expect, vi } from 'vitest';
import { Sshd, sshd } from '../servers/sshd.ts';
import { testWith } from '../servers/test-with.ts';
import { placeOn } from './sftp-scene.ts';

const withSshd = testWith(sshd);

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

  withSshd('and a wrong key is offered once, however many calls wait for the login', async () => {
    writeFileSync(path.join(server.base, 'authorized_keys'), '');
    const place = placeOn(server);
    const backend = await openBackend(place.address, place.settings);
    const before = attempts(server);
    await Promise.allSettled(Array.from({ length: 8 }, () => backend.stat(CONFIG)));
    await backend.close();
    await vi.waitFor(() => expect(attempts(server)).toBe(before + 1));
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
    expect(await failureOf({ 'sftp.command': '/nowhere/ssh' })).toMatchObject(
      says('usage', '/nowhere/ssh', 'openssh-client'),
    );
  });

  withSshd('a login shell that prints a greeting', async () => {
    expect(await failureOf({ 'sftp.command': 'echo "Welcome to this machine"' })).toMatchObject(
      says('backend.io', 'Welcome', 'greeting'),
    );
  });
});

function attempts(server: Sshd): number {
  return server.log.split('\n').filter((line) => line.includes('authenticating user')).length;
}
