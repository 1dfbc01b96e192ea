import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import manifest from '../../app/package.json' with { type: 'json' };
import { type Installed, installPackages, run } from './installed.ts';
import { olderNodes } from './older-node.ts';

let installed: Installed;
beforeAll(async () => {
  installed = await installPackages();
  return () => installed[Symbol.asyncDispose]();
});

test('the installed command says which version it is', async () => {
  const { exitCode, stdout, stderr } = await run(installed.command, ['--version']);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(stdout).toContain(manifest.version);
});

test('the page of an error comes along', async () => {
  const { exitCode, stdout } = await run(installed.command, ['help', 'repository.locked']);
  expect(exitCode).toBe(0);
  expect(stdout).toContain('# repository.locked');
});

test('a mistake in typing ends with the exit code for it', async () => {
  const { exitCode, stderr } = await run(installed.command, ['no-such-command']);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('no-such-command');
});

test('the installed command makes a repository, saves files and brings them back', async () => {
  const place = path.join(installed.prefix, 'first steps');
  await mkdir(path.join(place, 'letters'), { recursive: true });
  await writeFile(path.join(place, 'letters', 'first.txt'), 'Dear reader');
  await writeFile(path.join(place, 'key'), 'correct horse');
  const where = [
    '--repo',
    path.join(place, 'repository'),
    '--password-file',
    path.join(place, 'key'),
    '--no-cache',
  ];
  for (const words of [
    ['repo', 'init'],
    ['files', 'backup', path.join(place, 'letters')],
    ['repo', 'check', '--read-data'],
    ['files', 'restore', 'latest', '--target', path.join(place, 'back')],
  ]) {
    expect(await run(installed.command, [...words, ...where])).toMatchObject({ exitCode: 0, stderr: '' });
  }
  const back = path.join(place, 'back', place, 'letters', 'first.txt');
  expect(await readFile(back, 'utf8')).toBe('Dear reader');
});

describe.for(olderNodes())('on Node $version, which is too old', ({ path: node }) => {
  test('the command runs with the Node that npm brought along', async () => {
    const { exitCode, stdout, stderr } = await run(node, [installed.launcher, '--version']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain(manifest.version);
  });

  test('the exit code is passed on', async () => {
    const { exitCode } = await run(node, [installed.launcher, 'no-such-command']);
    expect(exitCode).toBe(2);
  });

  test('without that Node it says what to do', async () => {
    const brought = path.join(installed.prefix, 'node_modules', `node-${process.platform}-${process.arch}`);
    await rename(brought, `${brought}.away`);
    try {
      const { exitCode, stdout, stderr } = await run(node, [installed.launcher, '--version']);
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
      expect(stderr).toContain('Install Node 26 or newer');
    } finally {
      await rename(`${brought}.away`, brought);
    }
  });
});

test.for(['holdfast', '@holdfast/engine'])(
  '%s holds compiled code, declarations and its licence, no tests',
  async (name) => {
    const folder = path.join(installed.prefix, 'node_modules', name);
    const files = await readdir(folder, { recursive: true });
    expect(await readFile(path.join(folder, 'LICENSE'), 'utf8')).toContain('Apache License');
    expect(files.filter((file) => file.endsWith('.js'))).not.toEqual([]);
    expect(files.filter((file) => file.endsWith('.d.ts'))).not.toEqual([]);
    expect(files.filter((file) => /\.test\.|(?<!\.d)\.ts$/.test(file))).toEqual([]);
  },
);
