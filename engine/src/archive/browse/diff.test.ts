import { describe, expect, test } from 'vitest';
import { MemoryRepository, type Plan } from '../../testing/memory-repository.ts';
import { type DiffOptions, type DiffStatistics, diffTrees } from './diff.ts';

async function diffOf(before: Plan, after: Plan, options?: DiffOptions) {
  const repository = await MemoryRepository.create();
  const trees = [await repository.plant(before), await repository.plant(after)] as const;
  return await collect(repository, trees, options);
}

async function collect(
  repository: MemoryRepository,
  [before, after]: readonly [string, string],
  options?: DiffOptions,
) {
  const steps = await Array.fromAsync(
    diffTrees(repository.indexed, before as never, after as never, options),
  );
  return {
    changes: steps.flatMap((step) => (step.kind === 'change' ? `${step.modifier} ${step.path}` : [])),
    problems: steps.flatMap((step) => (step.kind === 'problem' ? step.problem.subject : [])),
    statistics: steps.at(-1) as DiffStatistics,
  };
}

test('added, removed, other content, another type', async () => {
  const { changes, statistics } = await diffOf(
    { gone: { folder: { x: 'x', link: { type: 'symlink' } } }, grown: 'a', same: 's', turned: 't' },
    { came: { folder: { deep: { folder: { y: 'yy' } } } }, grown: 'aa', same: 's', turned: { type: 'fifo' } },
  );
  expect(changes).toEqual([
    '+ /came',
    '+ /came/deep',
    '+ /came/deep/y',
    '- /gone',
    '- /gone/link',
    '- /gone/x',
    'M /grown',
    'T /turned',
  ]);
  expect(statistics).toMatchObject({
    changedFiles: 1,
    added: { files: 1, dirs: 2, others: 0, dataBlobs: 2 },
    removed: { files: 1, dirs: 1, others: 1, dataBlobs: 3 },
  });
});

test('metadata counts when it is asked for, and makes the folders above differ', async () => {
  const before = { sub: { folder: { a: { mtime: 1n } } } };
  const after = { sub: { folder: { a: { mtime: 2n } } } };
  expect((await diffOf(before, after)).changes).toEqual([]);
  expect((await diffOf(before, after, { metadata: true })).changes).toEqual(['U /sub', 'U /sub/a']);
});

test('content that changed although nobody wrote it is marked', async () => {
  expect((await diffOf({ rotten: 'abc' }, { rotten: 'abd' })).changes).toEqual(['M? /rotten']);
});

describe('the figures', () => {
  test('a file that moved is no new data, even into a folder that did not change', async () => {
    const shared = { folder: { copy: 'the content' } };
    const { changes, statistics } = await diffOf({ shared, moved: 'the content' }, { shared });
    expect(changes).toEqual(['- /moved']);
    expect(statistics.removed).toMatchObject({ files: 1, dataBlobs: 0, treeBlobs: 1 });
    expect(statistics.added).toMatchObject({ dataBlobs: 0, treeBlobs: 1 });
  });

  test('of equal trees are all nought', async () => {
    const nought = { files: 0, dirs: 0, others: 0, dataBlobs: 0, treeBlobs: 0, bytes: 0 };
    const { statistics } = await diffOf({ a: 'a' }, { a: 'a' });
    expect(statistics).toEqual({ kind: 'statistics', changedFiles: 0, added: nought, removed: nought });
  });
});

describe('a folder that cannot be read', () => {
  test('is a problem, not a removal, where it stands on one side', async () => {
    const repository = await MemoryRepository.create();
    const bad = await repository.plant({ x: 'x' });
    const before = await repository.plant({ a: { type: 'dir', subtree: bad }, b: 'b' });
    const after = await repository.plant({ a: { folder: { x: 'y' } }, b: 'bb' });
    repository.damage('tree', bad);
    const { changes, problems } = await collect(repository, [before, after]);
    expect(problems).toEqual(['/a']);
    expect(changes).toEqual(['M /b']);
  });

  test('is a problem where both sides have it, since the figures may be wrong', async () => {
    const repository = await MemoryRepository.create();
    const bad = await repository.plant({ x: 'x' });
    const same = { a: { folder: { b: { type: 'dir', subtree: bad } } } } as const;
    const before = await repository.plant({ ...same, file: '1' });
    const after = await repository.plant({ ...same, file: '2' });
    repository.damage('tree', bad);
    const { problems } = await collect(repository, [before, after]);
    expect(problems).toEqual(['/a/b']);
  });
});
