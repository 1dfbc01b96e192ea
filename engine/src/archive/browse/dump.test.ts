import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import type { Finding } from '../../kernel/finding.ts';
import type { Id } from '../../kernel/id.ts';
import { MemoryRepository, type Plan } from '../../testing/memory-repository.ts';
import { dumpPath } from './dump.ts';

async function dumped(repository: MemoryRepository, tree: Id, path: string) {
  const problems: Finding[] = [];
  const onProblem = (problem: Finding): unknown => problems.push(problem);
  const { type, bytes } = await dumpPath(repository.indexed, tree, path, { onProblem });
  return { type, bytes: Buffer.concat(await Array.fromAsync(bytes)), problems };
}

function tar(archive: Buffer, ...flags: string[]): string {
  return execFileSync('tar', [...flags, '--file=-'], {
    input: archive,
    env: { ...process.env, LC_ALL: 'C' },
  }).toString();
}

async function planted(plan: Plan): Promise<[MemoryRepository, Id]> {
  const repository = await MemoryRepository.create();
  return [repository, await repository.plant(plan)];
}

test('a file is its content', async () => {
  const [repository, tree] = await planted({ sub: { folder: { note: 'text', empty: '' } } });
  expect(await dumped(repository, tree, '/sub/note')).toMatchObject({
    type: 'file',
    bytes: Buffer.from('text'),
  });
  expect((await dumped(repository, tree, 'sub/empty')).bytes.length).toBe(0);
});

test('a folder is a tar with itself and all below it', async () => {
  const [repository, tree] = await planted({
    other: 'x',
    sub: { folder: { deep: { folder: { note: 'text' } } } },
  });
  const { type, bytes } = await dumped(repository, tree, '/sub');
  expect(type).toBe('tar');
  expect(tar(bytes, '--list')).toBe('sub/\nsub/deep/\nsub/deep/note\n');
  expect(tar(bytes, '--extract', '--to-stdout', 'sub/deep/note')).toBe('text');
});

test('names of one inode are links to the first, unless their content differs', async () => {
  const repository = await MemoryRepository.create();
  const [one, two] = [
    await repository.saveBlob('data', Buffer.from('one')),
    await repository.saveBlob('data', Buffer.from('two')),
  ];
  const inode = { inode: 7n, links: 3, size: 3 };
  const tree = await repository.plant({
    a: { ...inode, content: [one] },
    b: { ...inode, content: [one] },
    c: { ...inode, content: [two] },
  });
  const { bytes } = await dumped(repository, tree, '/');
  expect(tar(bytes, '--list', '--verbose')).toMatch(/ a\n.* b link to a\n.* c\n$/);
  expect(tar(bytes, '--extract', '--to-stdout', 'c')).toBe('two');
});

test('what is left out is told, and all else is there', async () => {
  const repository = await MemoryRepository.create();
  const bad = await repository.plant({ x: 'x' });
  const tree = await repository.plant({
    a: { content: ['ab'.repeat(32) as Id], size: 5 },
    b: { type: 'socket' },
    c: { type: 'dir', subtree: bad },
    d: 'whole',
  });
  repository.damage('tree', bad);
  const { bytes, problems } = await dumped(repository, tree, '/');
  expect(problems.map(({ subject, code }) => [subject, code])).toEqual([
    ['/a', 'blob.missing'],
    ['/b', 'tar.left-out'],
    ['/c', 'tree.damaged'],
  ]);
  expect(tar(bytes, '--list')).toBe('c/\nd\n');
});

test('content that is damaged ends the dump: half a file must not pass for a whole one', async () => {
  const [repository, tree] = await planted({ a: 'content' });
  repository.damage('data', await repository.saveBlob('data', Buffer.from('content')));
  await expect(dumped(repository, tree, '/')).rejects.toMatchObject({ code: 'repository.damaged' });
  await expect(dumped(repository, tree, '/a')).rejects.toMatchObject({ code: 'repository.damaged' });
});

test('what is neither file nor folder, or not there, is refused', async () => {
  const [repository, tree] = await planted({ link: { type: 'symlink', linkTarget: Buffer.from('x') } });
  await expect(dumped(repository, tree, '/link')).rejects.toMatchObject({ code: 'usage' });
  await expect(dumped(repository, tree, '/nowhere')).rejects.toMatchObject({
    code: 'snapshot.path-not-found',
  });
});
