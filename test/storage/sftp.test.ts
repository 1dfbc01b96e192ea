import { createBackend, openBackend } from '@holdfast/engine';
import { describeBackend, type OpenedForTest } from '@holdfast/engine/testing';
import { afterAll } from 'vitest';
import { Sshd, sshd } from '../servers/sshd.ts';
import { testWith } from '../servers/test-with.ts';
import { addStrangers, placeOn } from './sftp-scene.ts';

const found = await sshd.obtain();
let server: Sshd | undefined;
afterAll(() => server?.[Symbol.asyncDispose]());

if ('unavailable' in found) {
  testWith(sshd)('SFTP keeps the promises of a backend', () => {});
} else {
  describeBackend('SFTP', async (): Promise<OpenedForTest> => {
    server ??= await Sshd.start();
    const { address, settings, directory } = placeOn(server);
    return {
      backend: await createBackend(address, settings),
      reopen: () => openBackend(address, settings),
      addStrangers: async () => addStrangers(directory),
    };
  });
}
