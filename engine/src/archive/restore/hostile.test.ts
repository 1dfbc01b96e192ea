import { execFileSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Node } from '../../format/types.ts';
import { systemClock } from '../../kernel/clock.ts';
import type { Id } from '../../kernel/id.ts';
import { type HandmadeRepository, handmadeNode, makeRepository } from '../../testing/handmade-repository.ts';
import type { Overwrite } from './overwrite.ts';
import type { RestoreProblem } from './problem.ts';
import { restoreSnapshot } from './restore.ts';

let scratch: string;
let target: string;
let outside: string;
let made: HandmadeRepository;
let before: string;

beforeEach(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'holdfast-hostile-'));
  target = join(scratch, 'target');
  outside = join(scratch, 'outside');
  mkdirSync(join(outside, 'deep'), { recursive: true });
  writeFileSync(join(outside, 'precious'), 'precious', { mode: 0o640 });
  writeFileSync(join(outside, 'deep', 'file'), 'deep');
  made = await makeRepository();
  before = picture(outside);
});

afterEach(() => {
  rmSync(scratch, { recursive: true });
});

/** Everything about what lies outside the target that a restore could change. */
function picture(folder: string): string {
  return execFileSync('sh', [
    '-c',
    `cd "${folder}" && find . -printf '%p|%y|%m|%U|%G|%n|%T@|%C@|%l|%s\\n' | sort && find . -type f -exec cat {} +`,
  ]).toString();
}

function file(name: string | Buffer, text: string, more: Partial<Node> = {}): Node {
  const bytes = Buffer.from(text);
  return handmadeNode({ name, content: made.content(bytes), size: bytes.length, ...more });
}

function directory(name: string | Buffer, nodes: readonly Node[], more: Partial<Node> = {}): Node {
  return handmadeNode({ name, type: 'dir', subtree: made.tree(nodes), ...more });
}

function symlink(name: string, to: string): Node {
  return handmadeNode({ name, type: 'symlink', mode: 0o777, linkTarget: Buffer.from(to) });
}

async function restore(nodes: readonly Node[], overwrite: Overwrite = 'always'): Promise<RestoreProblem[]> {
  const tree: Id = made.tree(nodes);
  await made.finish();
  const problems: RestoreProblem[] = [];
  const summary = await restoreSnapshot(
    made.indexed,
    { tree },
    {
      clock: systemClock,
      target,
      overwrite,
      workers: 2,
      onProblem: (problem) => problems.push(problem),
    },
  );
  expect(summary.counts.problems).toBe(problems.length);
  expect(picture(outside)).toBe(before);
  expect(readdirSync(scratch).sort()).toEqual(['outside', 'target']);
  return problems;
}

const kinds = (problems: readonly RestoreProblem[]) => problems.map(({ kind }) => kind);

describe('names', () => {
  test.for([
    ['..', 'the parent'],
    ['.', 'the directory itself'],
    ['', 'nothing'],
    ['../outside/precious', 'a way up'],
    ['/etc/holdfast-was-here', 'an absolute path'],
    ['a/b', 'a path'],
    ['a\0b', 'a NUL'],
  ] as const)('%j, which is %s, is refused as a file and as a directory', async ([name]) => {
    const problems = await restore([
      file(name, 'evil'),
      directory(`${name}`, [file('precious', 'evil')], { inode: 1n }),
      file('honest', 'good'),
    ]);
    expect(kinds(problems)).toContain('unsafe');
    expect(readFileSync(join(target, 'honest'), 'utf8')).toBe('good');
    expect(readdirSync(target)).toEqual(['honest']);
  });

  test('that are there twice are both refused, so that a directory cannot be a symlink as well', async () => {
    const problems = await restore([
      symlink('x', outside),
      directory('x', [file('precious', 'evil')]),
      file('y', 'good'),
    ]);
    expect(problems).toEqual([{ path: '/x', kind: 'unsafe', message: 'the snapshot has this name twice' }]);
    expect(readdirSync(target)).toEqual(['y']);
  });
});

describe('symlinks of the snapshot', () => {
  test('lead out when they are read, never when we write', async () => {
    const nodes = [
      symlink('a', outside),
      directory('b', [symlink('out', '../../outside'), file('precious', 'mine')]),
      symlink('c', '/etc/passwd'),
    ];
    expect(await restore(nodes)).toEqual([]);
    expect(lstatSync(join(target, 'b', 'out')).isSymbolicLink()).toBe(true);
    // Once more over what is there now.
    expect(await restore(nodes)).toEqual([]);
  });

  test('do not carry a second snapshot out, whatever is to be overwritten', async () => {
    await restore([symlink('x', outside), symlink('precious', join(outside, 'precious'))]);
    for (const rule of ['never', 'if-newer', 'if-changed', 'always'] as const) {
      await restore(
        [
          directory('x', [file('precious', 'evil'), directory('deep', [file('file', 'evil')])]),
          file('precious', 'evil'),
        ],
        rule,
      );
    }
    expect(readFileSync(join(target, 'x', 'precious'), 'utf8')).toBe('evil');
    expect(lstatSync(join(target, 'precious')).isFile()).toBe(true);
  });

  test('with extended attributes and owners change themselves only', async () => {
    const attribute = { name: Buffer.from('user.evil'), value: Buffer.from('1') };
    const node = { ...symlink('x', join(outside, 'precious')), uid: 12345, extendedAttributes: [attribute] };
    await restore([node]);
  });
});

describe('what is in the target already', () => {
  test('a symlink in place of a directory is replaced, never followed', async () => {
    mkdirSync(target);
    symlinkSync(outside, join(target, 'x'));
    expect(await restore([directory('x', [file('precious', 'mine')])])).toEqual([]);
    expect(lstatSync(join(target, 'x')).isDirectory()).toBe(true);
  });

  test('a symlink in place of a directory stays when nothing is to be overwritten, and what is below it is told', async () => {
    mkdirSync(target);
    symlinkSync(outside, join(target, 'x'));
    expect(kinds(await restore([directory('x', [file('precious', 'mine')])], 'never'))).toEqual([
      'in-the-way',
    ]);
    expect(lstatSync(join(target, 'x')).isSymbolicLink()).toBe(true);
  });

  test.for(['always', 'if-changed'] as const)(
    'a second name of a file outside is replaced, not written into (%s)',
    async (rule) => {
      mkdirSync(target);
      linkSync(join(outside, 'precious'), join(target, 'precious'));
      linkSync(join(outside, 'deep', 'file'), join(target, 'file'));
      const picture = () => [
        readFileSync(join(outside, 'precious'), 'utf8'),
        lstatSync(join(outside, 'precious')).mode,
      ];
      const asItWas = picture();
      const tree = made.tree([
        file('file', 'deep', { mode: 0o777 }),
        // As long as what is there, which is what could be taken for unchanged.
        file('precious', 'PRECIOUS', { mode: 0o777 }),
      ]);
      await made.finish();
      await restoreSnapshot(
        made.indexed,
        { tree },
        { clock: systemClock, target, overwrite: rule, workers: 1 },
      );
      expect(picture()).toEqual(asItWas);
      expect(lstatSync(join(outside, 'deep', 'file')).mode & 0o777).not.toBe(0o777);
      expect(readFileSync(join(target, 'precious'), 'utf8')).toBe('PRECIOUS');
    },
  );

  test('a directory with something in it is not removed for a file', async () => {
    mkdirSync(join(target, 'x'), { recursive: true });
    writeFileSync(join(target, 'x', 'mine'), 'mine');
    expect(kinds(await restore([file('x', 'evil')]))).toEqual(['in-the-way']);
    expect(readFileSync(join(target, 'x', 'mine'), 'utf8')).toBe('mine');
  });
});

test('hard links of the snapshot join files of the snapshot only', async () => {
  const twins = { links: 2, inode: 77n, deviceId: 5n };
  const problems = await restore([
    symlink('a', join(outside, 'precious')),
    file('b', 'one', twins),
    directory('c', [file('d', 'one', twins)]),
  ]);
  expect(problems).toEqual([]);
  expect(lstatSync(join(target, 'c', 'd')).ino).toBe(lstatSync(join(target, 'b')).ino);
});

test('a tree that is deeper than any stack is no reason to fall over', async () => {
  let node = file('leaf', 'at the bottom');
  for (let depth = 0; depth < 2000; depth += 1) node = directory('d', [node]);
  expect(await restore([node])).toEqual([]);
  let [path, depth] = [`${target}/`, 0];
  for (; depth < 500 && existsSync(`${path}d/`); depth += 1) path += 'd/';
  expect(depth).toBe(500);
  execFileSync('rm', ['-rf', target]);
  mkdirSync(target);
});

test('a directory whose tree is missing comes back empty, and is told', async () => {
  const missing = 'ab'.repeat(32) as Id;
  const problems = await restore([
    handmadeNode({ name: 'lost', type: 'dir', subtree: missing }),
    file('there', 'good'),
  ]);
  expect(problems).toEqual([expect.objectContaining({ path: '/lost', kind: 'damaged' })]);
  expect(readdirSync(target).sort()).toEqual(['lost', 'there']);
});
