import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { treeFacts } from '../scenes/tree-facts.ts';
import { HostileProxy } from '../servers/hostile-proxy.ts';
import { minio, startMinio } from '../servers/minio.ts';
import { restic } from '../servers/restic.ts';
import type { RunningS3 } from '../servers/s3-server.ts';
import { testWith } from '../servers/test-with.ts';
import { growTree, newPlace, PASSWORD, userOf } from './s3-user.ts';

const execute = promisify(execFile);
const withMinio = testWith(minio);

async function stockRestic(
  s3: RunningS3,
  repository: string,
  cwd: string,
  ...words: string[]
): Promise<string> {
  const found = await restic.obtain();
  if ('unavailable' in found) throw new Error(found.unavailable);
  const { stdout } = await execute(
    found.path,
    ['-r', repository, '--cache-dir', path.join(cwd, 'rc'), ...words],
    {
      cwd,
      env: { PATH: process.env['PATH'], HOME: cwd, RESTIC_PASSWORD: PASSWORD, ...s3.environment },
    },
  );
  return stdout;
}

withMinio('one bucket serves restic and us, both ways', async ({ server }) => {
  await using s3 = await startMinio(server.path);
  using user = userOf(s3);
  const tree = growTree(user);
  const repository = newPlace(s3.endpoint);
  const repo = ['--repo', repository];
  await stockRestic(s3, repository, user.directory, 'init', '--repository-version', '2');
  await stockRestic(s3, repository, user.directory, 'backup', 'tree');
  expect(await user.run(['files', 'restore', 'latest', '--target', 'ours', ...repo])).toMatchObject({
    exitCode: 0,
  });
  expect(treeFacts(path.join(user.directory, 'ours', 'tree'))).toEqual(treeFacts(tree));
  expect(await user.run(['files', 'backup', 'tree', ...repo])).toMatchObject({ exitCode: 0 });
  await stockRestic(s3, repository, user.directory, 'restore', 'latest', '--target', 'restics');
  expect(treeFacts(path.join(user.directory, 'restics', 'tree'))).toEqual(treeFacts(tree));
  expect(await stockRestic(s3, repository, user.directory, 'check', '--read-data')).toContain('no errors');
  const forgotten = await user.run(['repo', 'forget', '--keep-last', '1', '--prune', ...repo]);
  expect(forgotten).toMatchObject({ exitCode: 0 });
  expect(await stockRestic(s3, repository, user.directory, 'check', '--read-data')).toContain('no errors');
});

withMinio('an unchanged tree costs no more requests than it costs restic', async ({ server }) => {
  await using s3 = await startMinio(server.path);
  await using proxy = await HostileProxy.before(s3.endpoint);
  using user = userOf(s3);
  growTree(user);
  const [ours, restics] = [newPlace(proxy.endpoint), newPlace(proxy.endpoint)];
  const counted = async (work: () => Promise<unknown>) => {
    const before = proxy.requests.length;
    await work();
    return proxy.requests.length - before;
  };
  await user.run(['repo', 'init', '--repo', ours]);
  await stockRestic(s3, restics, user.directory, 'init');
  const we = () => user.run(['files', 'backup', 'tree', '--repo', ours]);
  const they = () => stockRestic(s3, restics, user.directory, 'backup', 'tree');
  await we();
  await they();
  // Twice, so that either's cache is warm.
  await we();
  await they();
  const our = await counted(we);
  const their = await counted(they);
  expect(our).toBeLessThanOrEqual(their);
});
