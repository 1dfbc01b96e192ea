import { randomBytes } from 'node:crypto';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createBackend, openBackend, parseAddress } from '@holdfast/engine';
import { describeBackend, type OpenedForTest } from '@holdfast/engine/testing';
import { afterAll } from 'vitest';
import { type RestScene, restScene, userLine } from './rest-scene.ts';

const scenes: RestScene[] = [];
afterAll(async () => {
  for (const scene of scenes) await scene[Symbol.asyncDispose]();
});

/** One server for a whole suite, and a repository of its own for each test. */
function opener(start: () => Promise<RestScene>): () => Promise<OpenedForTest> {
  let starting: Promise<RestScene> | undefined;
  return async () => {
    starting ??= start();
    const scene = await starting;
    if (!scenes.includes(scene)) scenes.push(scene);
    const folder = `r-${randomBytes(4).toString('hex')}/below`;
    const address = parseAddress(`rest:${scene.server.url}${folder}`);
    const settings = {
      extended: new Map<string, string>(),
      environment: {},
      restLogin: { username: 'anna', password: 'ein: schönes Passwort' },
    };
    return {
      backend: await createBackend(address, settings),
      reopen: () => openBackend(address, settings),
      addStrangers: async () => addStrangers(path.join(scene.root, folder)),
    };
  };
}

describeBackend(
  'a REST server of ours',
  opener(() => restScene()),
);

describeBackend(
  'a REST server of ours with passwords, on a socket,',
  opener(async () =>
    restScene({
      listen: { kind: 'socket', path: path.join('/tmp', `holdfast-${randomBytes(4).toString('hex')}.sock`) },
      users: await userLine('anna', 'ein: schönes Passwort'),
    }),
  ),
);

function addStrangers(root: string): void {
  const id = 'ab'.repeat(32);
  for (const directory of ['', 'keys', 'locks', 'snapshots', 'index', 'data', 'data/00', 'data/ab']) {
    writeFileSync(path.join(root, directory, 'README'), 'not ours');
    writeFileSync(path.join(root, directory, `${id}-tmp-0123456789abcdef`), 'half');
    mkdirSync(path.join(root, directory, 'cd'.repeat(32)));
  }
  writeFileSync(path.join(root, 'data', id), 'misplaced');
  symlinkSync('/nowhere', path.join(root, 'keys', 'ef'.repeat(32)));
}
