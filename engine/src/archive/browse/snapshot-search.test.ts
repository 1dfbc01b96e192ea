import { describe, expect, test } from 'vitest';
import type { StoredSnapshot } from '../../format/types.ts';
import { MemoryRepository, type Plan } from '../../testing/memory-repository.ts';
import { findNames } from './find-names.ts';
import { findObjects } from './find-objects.ts';
import { searchSnapshots } from './snapshot-search.ts';

const SHARED: Plan = { sub: { folder: { 'a.txt': 'a', 'b.txt': 'b' } }, 'c.txt': 'c' };

async function snapshotsOf(repository: MemoryRepository, ...plans: Plan[]): Promise<StoredSnapshot[]> {
  const snapshots: StoredSnapshot[] = [];
  for (const [day, plan] of plans.entries()) {
    const time = `2026-11-0${day + 1}T00:00:00Z`;
    snapshots.push(await repository.saveSnapshot({ time, tree: await repository.plant(plan) }));
  }
  return snapshots;
}

describe('a search of many snapshots', () => {
  test('looks at each tree once, and still tells of every snapshot', async () => {
    const repository = await MemoryRepository.create();
    const kept = { kept: { folder: SHARED } };
    const snapshots = await snapshotsOf(repository, kept, { ...kept, changing: '1' }, kept, {
      ...kept,
      changing: '2',
    });
    const looked: string[] = [];
    const search = {
      descend: () => true,
      inspect: ({ path }: { path: string }): string[] => {
        looked.push(path);
        return path.endsWith('.txt') ? [path] : [];
      },
    };
    const results = await Array.fromAsync(searchSnapshots(repository.indexed, snapshots, search));
    const all = ['/kept/c.txt', '/kept/sub/a.txt', '/kept/sub/b.txt'];
    expect(results.map(({ matches }) => matches)).toEqual([all, all, all, all]);
    expect(looked.filter((path) => path === '/kept/sub/a.txt')).toHaveLength(1);
    expect(looked.filter((path) => path === '/kept')).toHaveLength(3);
  });

  test('knows one tree at two places apart, also when they change places', async () => {
    const repository = await MemoryRepository.create();
    const same = { folder: { x: 'x' } };
    const snapshots = await snapshotsOf(
      repository,
      { one: same, two: same },
      { zero: same, one: same, three: same },
    );
    const results = await Array.fromAsync(findNames(repository.indexed, snapshots, { patterns: ['x'] }));
    expect(results.map(({ matches }) => matches.map(({ path }) => path))).toEqual([
      ['/one/x', '/two/x'],
      ['/one/x', '/three/x', '/zero/x'],
    ]);
  });

  test('tells of a folder that cannot be read in each snapshot that has it', async () => {
    const repository = await MemoryRepository.create();
    const plan = { bad: { folder: { x: 'x' } }, good: { folder: { x: 'y' } } };
    const snapshots = await snapshotsOf(repository, plan, { ...plan, more: 'z' });
    repository.damage('tree', await repository.plant({ x: 'x' }));
    const results = await Array.fromAsync(findNames(repository.indexed, snapshots, { patterns: ['x'] }));
    for (const { matches, problems } of results) {
      expect(matches.map(({ path }) => path)).toEqual(['/good/x']);
      expect(problems.map(({ subject }) => subject)).toEqual(['/bad']);
    }
  });
});

describe('a search for names', () => {
  test.each([
    [{ patterns: ['*.txt'] }, ['/c.txt', '/sub/a.txt', '/sub/b.txt']],
    [{ patterns: ['/c.txt', 'B.*'], ignoreCase: true }, ['/c.txt', '/sub/b.txt']],
    [{ patterns: ['sub'] }, ['/sub', '/sub/a.txt', '/sub/b.txt']],
    [{ patterns: ['B.*'] }, []],
  ])('%j', async (query, expected) => {
    const repository = await MemoryRepository.create();
    const snapshots = await snapshotsOf(repository, SHARED);
    const [result] = await Array.fromAsync(findNames(repository.indexed, snapshots, query));
    expect(result?.matches.map(({ path }) => path)).toEqual(expected);
  });

  test('keeps to the times asked for, both ends included', async () => {
    const repository = await MemoryRepository.create();
    const plan = { a: { mtime: 10n }, b: { mtime: 20n }, c: { mtime: 30n }, d: { mtime: 40n } };
    const snapshots = await snapshotsOf(repository, plan);
    const query = { patterns: ['*'], oldest: 20n, newest: 30n };
    const [result] = await Array.fromAsync(findNames(repository.indexed, snapshots, query));
    expect(result?.matches.map(({ path }) => path)).toEqual(['/b', '/c']);
  });

  test('does not take a malformed pattern', async () => {
    const repository = await MemoryRepository.create();
    expect(() => findNames(repository.indexed, [], { patterns: ['[a'] })).toThrow(
      expect.objectContaining({ code: 'usage' }),
    );
  });
});

describe('a search for objects', () => {
  async function searched() {
    const repository = await MemoryRepository.create();
    const [snapshot] = await snapshotsOf(repository, { ...SHARED, again: { folder: SHARED } });
    const found = async (query: Parameters<typeof findObjects>[2]) => {
      const results = findObjects(repository.indexed, [snapshot as StoredSnapshot], query);
      return (await Array.fromAsync(results)).flatMap(({ matches }) => matches);
    };
    return { repository, found, root: (snapshot as StoredSnapshot).tree };
  }

  test('finds all files with a piece, by its id or the beginning of it', async () => {
    const { repository, found } = await searched();
    const id = await repository.saveBlob('data', Buffer.from('a'));
    for (const blob of [id, id.slice(0, 12).toUpperCase()]) {
      const matches = await found({ blobs: [blob] });
      expect(matches.map(({ path }) => path)).toEqual(['/again/sub/a.txt', '/sub/a.txt']);
      expect(matches[0]).toMatchObject({ type: 'data', id });
    }
  });

  test('finds all folders with a tree, the root among them', async () => {
    const { repository, found, root } = await searched();
    const sub = await repository.plant({ 'a.txt': 'a', 'b.txt': 'b' });
    expect((await found({ trees: [sub] })).map(({ path }) => path)).toEqual(['/again/sub', '/sub']);
    expect(await found({ trees: [root] })).toEqual([{ type: 'tree', id: root, path: '/' }]);
  });

  test('finds whatever a pack holds', async () => {
    const { repository, found } = await searched();
    const id = await repository.saveBlob('data', Buffer.from('c'));
    const pack = repository.indexed.index.lookup('data', id)?.pack as string;
    const matches = await found({ packs: [pack.slice(0, 16)] });
    expect(matches.map(({ path, pack: of }) => [path, of])).toEqual([
      ['/again/c.txt', pack],
      ['/c.txt', pack],
    ]);
  });

  test('finds what still needs a blob that the index has lost', async () => {
    const repository = await MemoryRepository.create();
    const lost = 'cd'.repeat(32);
    const snapshots = await snapshotsOf(repository, { broken: { content: [lost as never] } });
    const [result] = await Array.fromAsync(findObjects(repository.indexed, snapshots, { blobs: [lost] }));
    expect(result?.matches.map(({ path }) => path)).toEqual(['/broken']);
  });

  test.each([{ blobs: ['0123456789abcdef'] }, { packs: ['0123456789abcdef'] }, { trees: ['no id'] }])(
    'does not take %j for something that is there',
    async (query) => {
      const { found } = await searched();
      await expect(found(query)).rejects.toMatchObject({ code: 'usage' });
    },
  );
});
