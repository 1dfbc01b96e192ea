import { createBackend, openBackend } from '@holdfast/engine';
import { describeBackend, type OpenedForTest } from '@holdfast/engine/testing';
import { afterAll } from 'vitest';
import { Sshd, sshd } from '../servers/sshd.ts';
import { testWith } from '../servers/test-with.ts';
import { addStrangers, placeOn } from './sftp-scene.ts';

/** The server's own switch for what it is not to know (`-P`). */
const kinds = {
  'SFTP': 'internal-sftp',
  'SFTP without any extension': 'internal-sftp -P fsync,limits,posix-rename,hardlink,statvfs',
  'SFTP where only the rename that replaces works': 'internal-sftp -P rename',
};

const servers = new Map<string, Sshd>();
afterAll(async () => {
  for (const server of servers.values()) await server[Symbol.asyncDispose]();
});

const found = await sshd.obtain();
for (const [name, subsystem] of Object.entries(kinds)) {
  if ('unavailable' in found) {
    testWith(sshd)(`${name} keeps the promises of a backend`, () => {});
    continue;
  }
  describeBackend(name, async (): Promise<OpenedForTest> => {
    const server = servers.get(name) ?? (await Sshd.start({ subsystem }));
    servers.set(name, server);
    const { address, settings, directory } = placeOn(server);
    return {
      backend: await createBackend(address, settings),
      reopen: () => openBackend(address, settings),
      addStrangers: async () => addStrangers(directory),
    };
  });
}
