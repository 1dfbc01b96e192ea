import { describe, expect, test } from 'vitest';
import { encodeNode } from '../../format/node.ts';
import { joinNodes } from '../../format/tree.ts';
import type { Id } from '../../kernel/id.ts';
import { IndexedRepository } from '../../repository/indexed-repository.ts';
import { Repository } from '../../repository/repository.ts';
import { fault } from '../../testing/index.ts';
import { MemoryRepository, type Plan, testNode } from '../../testing/memory-repository.ts';
import { pathBytes } from '../filter/path-text.ts';
import { listTree } from './list.ts';
import { type WalkOptions, walkTree } from './tree-walk.ts';

async function stepsOf(indexed: IndexedRepository, tree: Id, options?: WalkOptions): Promise<string[]> {
  const steps: string[] = [];
  for await (const step of walkTree(indexed, tree, options)) {
    steps.push(`${step.kind} ${step.path}${step.kind === 'problem' ? ` ${step.problem.code}` : ''}`);
  }
  return steps;
}

test('a folder is told before what is in it, and left before what comes after it', async () => {
  const repository = await MemoryRepository.create();
  const tree = await repository.plant({
    b: { folder: { deep: { folder: { x: 'x' } }, y: 'y' } },
    a: 'a',
    c: 'c',
    'b.txt': 'b',
  });
  expect(await stepsOf(repository.indexed, tree)).toEqual([
    'entry /a',
    'entry /b',
    'entry /b/deep',
    'entry /b/deep/x',
    'left /b/deep',
    'entry /b/y',
    'left /b',
    'entry /b.txt',
    'entry /c',
    'left ',
  ]);
});

test('a walk tells everything of folders larger than what it looks ahead', async () => {
  const repository = await MemoryRepository.create();
  const plan: Record<string, Plan[string]> = {};
  for (let number = 1000; number < 1600; number += 1) {
    plan[`${number}`] = number % 3 === 0 ? { folder: { inside: {} } } : {};
  }
  const steps = await stepsOf(repository.indexed, await repository.plant(plan));
  const expected = Object.keys(plan).flatMap((name) => [
    `entry /${name}`,
    ...(Number(name) % 3 === 0 ? [`entry /${name}/inside`, `left /${name}`] : []),
  ]);
  expect(steps).toEqual([...expected, 'left ']);
});

test('names of any bytes come through', async () => {
  const repository = await MemoryRepository.create();
  const name = Buffer.from([0x61, 0xff, 0x0a, 0x80]);
  const content = joinNodes([encodeNode(testNode({ name, linkTarget: Buffer.from('x'), type: 'symlink' }))]);
  const tree = await repository.saveBlob('tree', content);
  const [step] = await Array.fromAsync(walkTree(repository.indexed, tree));
  expect(pathBytes(step?.path ?? '')).toEqual(Buffer.concat([Buffer.from('/'), name]));
});

test('only folders that are wanted are gone into', async () => {
  const repository = await MemoryRepository.create();
  const tree = await repository.plant({ no: { folder: { x: 'x' } }, yes: { folder: { x: 'x' } } });
  const descend = (path: string): boolean => path !== '/no';
  expect(await stepsOf(repository.indexed, tree, { descend })).toEqual([
    'entry /no',
    'entry /yes',
    'entry /yes/x',
    'left /yes',
    'left ',
  ]);
});

describe('what is damaged', () => {
  test('is told where it stands, and the rest goes on', async () => {
    const repository = await MemoryRepository.create();
    const bad = await repository.plant({ lost: 'lost' });
    const gone = await repository.plant({ alsoLost: 'lost' });
    const tree = await repository.plant({
      a: { type: 'dir', subtree: bad },
      b: { folder: { kept: 'kept' } },
      c: { type: 'dir', subtree: gone },
      d: { type: 'dir', subtree: 'ab'.repeat(32) as Id },
      e: { type: 'dir' },
      z: 'z',
    });
    repository.damage('tree', bad);
    repository.lose('tree', gone);
    expect(await stepsOf(repository.indexed, tree)).toEqual([
      'entry /a',
      'problem /a tree.damaged',
      'left /a',
      'entry /b',
      'entry /b/kept',
      'left /b',
      'entry /c',
      'problem /c tree.damaged',
      'left /c',
      'entry /d',
      'problem /d blob.missing',
      'left /d',
      'problem /e tree.damaged',
      'entry /e',
      'entry /z',
      'left ',
    ]);
  });

  test('a root that cannot be read is a problem too', async () => {
    const repository = await MemoryRepository.create();
    const tree = await repository.plant({ a: 'a' });
    repository.damage('tree', tree);
    expect(await stepsOf(repository.indexed, tree)).toEqual(['problem  tree.damaged', 'left ']);
  });

  test.each(['..', '.', 'a/b', '/etc/passwd', 'nul\0', ''])('the name %j leads nowhere', async (name) => {
    const repository = await MemoryRepository.create();
    const subtree = await repository.plant({ inside: 'x' });
    const node = testNode({ name: Buffer.from(name), type: 'dir', subtree });
    const tree = await repository.saveBlob('tree', joinNodes([encodeNode(node)]));
    expect(await stepsOf(repository.indexed, tree)).toEqual([`problem /${name} tree.unsafe-name`, 'left ']);
  });
});

test('a place that cannot be reached is no damage: the walk fails', async () => {
  const whole = await MemoryRepository.create();
  const tree = await whole.plant({ a: { folder: { x: 'x' } } });
  const { repository, index } = whole.indexed;
  const backend = fault(repository.backend, [{ call: 'load', nth: 2, does: 'fail' }]);
  const broken = new IndexedRepository(new Repository({ ...partsOf(repository), backend }), index);
  await expect(stepsOf(broken, tree)).rejects.toMatchObject({ code: 'backend.io' });
});

test('an aborted walk ends with the reason', async () => {
  const repository = await MemoryRepository.create();
  const tree = await repository.plant({ a: 'a', b: 'b' });
  const controller = new AbortController();
  const walk = walkTree(repository.indexed, tree, { signal: controller.signal });
  await walk.next();
  controller.abort(new Error('enough'));
  await expect(walk.next()).rejects.toThrow('enough');
});

describe('ls of chosen folders', () => {
  const plan: Plan = {
    home: {
      folder: { ann: { folder: { deep: { folder: { x: 'x' } }, y: 'y' } }, annex: { folder: { z: 'z' } } },
    },
    etc: { folder: { hosts: 'h' } },
  };
  test.each([
    [['/home/ann'], false, ['/home/ann', '/home/ann/deep', '/home/ann/y']],
    [['/home/ann/'], true, ['/home/ann', '/home/ann/deep', '/home/ann/deep/x', '/home/ann/y']],
    [['/etc', '/home'], false, ['/etc', '/etc/hosts', '/home', '/home/ann', '/home/annex']],
    [['/'], false, ['/etc', '/home']],
    [['/nowhere'], true, []],
  ])('%j, recursive %j', async (directories, recursive, expected) => {
    const repository = await MemoryRepository.create();
    const tree = await repository.plant(plan);
    const steps = await Array.fromAsync(listTree(repository.indexed, tree, { directories, recursive }));
    expect(steps.map((step) => step.path)).toEqual(expected);
  });
});

function partsOf({ config, key, keyId, backend }: Repository) {
  return { config, key, keyId, backend };
}
