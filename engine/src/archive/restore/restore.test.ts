import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Backend } from '../../backend/backend.ts';
import { openMemory } from '../../backend/memory/memory.ts';
import { meter } from '../../backend/wrap/meter.ts';
import type { Node } from '../../format/types.ts';
import { systemClock } from '../../kernel/clock.ts';
import { Failure } from '../../kernel/failure.ts';
import type { Id } from '../../kernel/id.ts';
import { openPosix } from '../../kernel/posix/posix.ts';
import { type HandmadeRepository, handmadeNode, makeRepository } from '../../testing/handmade-repository.ts';
import type { RestoreProblem } from './problem.ts';
import { type RestoreOptions, type RestoreSummary, restoreSnapshot } from './restore.ts';

let scratch: string;
let target: string;
let made: HandmadeRepository;
let problems: RestoreProblem[];

beforeEach(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'holdfast-restore-'));
  target = join(scratch, 'target');
  made = await makeRepository();
  problems = [];
});

afterEach(() => {
  rmSync(scratch, { recursive: true });
});

const MiB = 1024 * 1024;

function file(
  name: string,
  bytes: Uint8Array,
  { blobSize = MiB, ...more }: Partial<Node> & { blobSize?: number } = {},
) {
  return handmadeNode({ name, content: made.content(bytes, blobSize), size: bytes.length, ...more });
}

function directory(name: string, nodes: readonly Node[], more: Partial<Node> = {}): Node {
  return handmadeNode({ name, type: 'dir', subtree: made.tree(nodes), ...more });
}

async function saved(...nodes: readonly Node[]): Promise<Id> {
  const tree = made.tree(nodes);
  await made.finish();
  return tree;
}

async function restore(
  tree: Id,
  options: Partial<RestoreOptions> = {},
  subfolder?: string,
): Promise<RestoreSummary> {
  problems = [];
  return await restoreSnapshot(made.indexed, subfolder === undefined ? { tree } : { tree, subfolder }, {
    clock: systemClock,
    target,
    workers: 2,
    onProblem: (problem) => problems.push(problem),
    ...options,
  });
}

const at = (...names: string[]) => join(target, ...names);
const mtimeOf = (path: string) => lstatSync(path, { bigint: true }).mtimeNs;

describe('over what is there', () => {
  const large = randomBytes(5 * MiB);

  test('a second restore writes nothing', async () => {
    const tree = await saved(
      file('large', large),
      file('small', Buffer.from('x')),
      file('empty', Buffer.alloc(0)),
    );
    expect((await restore(tree)).counts).toMatchObject({ filesDone: 3, bytesWritten: large.length + 1 });
    const again = await restore(tree);
    expect(again.counts).toMatchObject({ filesDone: 3, filesUnchanged: 3, bytesWritten: 0 });
  });

  test('only the blobs that differ are written, and the length is put right', async () => {
    const tree = await saved(file('large', large));
    await restore(tree);
    const spoilt = Buffer.from(large);
    spoilt.fill(0, 3 * MiB + 5, 3 * MiB + 9);
    writeFileSync(at('large'), Buffer.concat([spoilt, Buffer.from('and more')]));
    const inode = statSync(at('large')).ino;
    expect((await restore(tree)).counts).toMatchObject({ filesDone: 1, bytesWritten: MiB });
    expect(readFileSync(at('large')).equals(large)).toBe(true);
    expect(statSync(at('large')).ino).toBe(inode);
  });

  test('a file that was cut short is completed', async () => {
    const tree = await saved(file('large', large));
    await restore(tree);
    truncateSync(at('large'), 2 * MiB + 100);
    expect((await restore(tree, { overwrite: 'if-changed' })).counts.bytesWritten).toBe(3 * MiB);
    expect(readFileSync(at('large')).equals(large)).toBe(true);
  });

  test('if-changed believes size and time', async () => {
    const tree = await saved(file('a', Buffer.from('snapshot')));
    await restore(tree);
    writeFileSync(at('a'), 'SNAPSHOT');
    expect((await restore(tree, { overwrite: 'if-changed' })).counts.bytesWritten).toBe(8);
    expect(readFileSync(at('a'), 'utf8')).toBe('snapshot');
    expect(mtimeOf(at('a'))).toBe(1_700_000_000_123_456_789n);
  });

  test('never leaves a file as it is, with its attributes', async () => {
    const tree = await saved(file('a', Buffer.from('snapshot')), file('b', Buffer.from('new')));
    mkdirSync(target);
    writeFileSync(at('a'), 'mine', { mode: 0o600 });
    const { counts } = await restore(tree, { overwrite: 'never' });
    expect(counts).toMatchObject({ kept: 1, filesDone: 1 });
    expect([readFileSync(at('a'), 'utf8'), readFileSync(at('b'), 'utf8')]).toEqual(['mine', 'new']);
    expect(lstatSync(at('a')).mode & 0o777).toBe(0o600);
  });

  test('if-newer overwrites what is older than the snapshot', async () => {
    const tree = await saved(file('newer', Buffer.from('snapshot')), file('older', Buffer.from('snapshot')));
    mkdirSync(target);
    for (const name of ['newer', 'older']) writeFileSync(at(name), 'mine');
    utimesSync(at('older'), 1_600_000_000, 1_600_000_000);
    await restore(tree, { overwrite: 'if-newer' });
    expect([readFileSync(at('newer'), 'utf8'), readFileSync(at('older'), 'utf8')]).toEqual([
      'mine',
      'snapshot',
    ]);
  });

  test('directories without permission to write are filled all the same', async () => {
    const tree = await saved(directory('d', [file('f', Buffer.from('one'))], { mode: 0o555 }));
    await restore(tree);
    chmodSync(at('d'), 0o700);
    rmSync(at('d', 'f'));
    chmodSync(at('d'), 0o555);
    await restore(tree);
    expect(problems).toEqual([]);
    expect(readFileSync(at('d', 'f'), 'utf8')).toBe('one');
    expect(lstatSync(at('d')).mode & 0o777).toBe(0o555);
    chmodSync(at('d'), 0o700);
  });
});

describe('a part of a snapshot', () => {
  test('is what is included, with the directories on the way as they were', async () => {
    const tree = await saved(
      directory('a', [
        directory('b', [file('wanted', Buffer.from('1'))], { mode: 0o711 }),
        file('not', Buffer.from('2')),
      ]),
      directory('z', [file('not', Buffer.from('3'))]),
    );
    await restore(tree, { rules: { include: ['/a/b/wanted'] } });
    expect(readdirSync(target, { recursive: true }).sort()).toEqual(['a', 'a/b', 'a/b/wanted']);
    expect(lstatSync(at('a', 'b')).mode & 0o777).toBe(0o711);
    expect(mtimeOf(at('a'))).toBe(1_700_000_000_123_456_789n);
  });

  test('can be a subfolder, which comes directly into the target', async () => {
    const tree = await saved(directory('a', [directory('b', [file('f', Buffer.from('1'))])]));
    await restore(tree, {}, '/a/b');
    expect(readdirSync(target)).toEqual(['f']);
  });

  test('that is not there is a failure which says so', async () => {
    const tree = await saved(directory('a', [file('f', Buffer.from('1'))]));
    for (const path of ['/b', '/a/f']) {
      await expect(restore(tree, {}, path)).rejects.toMatchObject({
        code: 'snapshot.path-not-found',
        subject: path,
      });
    }
    expect(existsSync(target)).toBe(false);
  });
});

describe('damage', () => {
  /** Flips a bit of the first blob of each data pack, as it is loaded. */
  function spoiling(backend: Backend, spoil: (bytes: Uint8Array, offset: number) => void): Backend {
    return {
      ...backend,
      load: async (handle, range, signal) => {
        const bytes = await backend.load(handle, range, signal);
        if (handle.type === 'pack' && range !== undefined) spoil(bytes, range.offset);
        return bytes;
      },
    };
  }

  async function spoilt(spoil: (bytes: Uint8Array, offset: number) => void): Promise<void> {
    made = await makeRepository({ backend: spoiling(openMemory(), spoil), packSize: 32 * MiB });
  }

  const flipFirst = (bytes: Uint8Array, offset: number) => {
    if (offset === 0) bytes[20] = (bytes[20] as number) ^ 1;
  };

  test('of a blob costs the files that need it, and they do not look as if they were whole', async () => {
    await spoilt(flipFirst);
    const first = randomBytes(MiB);
    const tree = await saved(
      file('damaged', Buffer.concat([first, randomBytes(3 * MiB)])),
      file('same', first),
      file('whole', randomBytes(2 * MiB)),
    );
    const summary = await restore(tree);
    expect(problems.map(({ path, kind }) => `${kind} ${path}`).sort()).toEqual([
      'damaged /damaged',
      'damaged /same',
    ]);
    expect(summary).toMatchObject({ incomplete: true, counts: { filesDone: 1, filesExpected: 3 } });
    expect(readdirSync(target)).toEqual(['whole']);
  });

  test('can be salvaged: what is not damaged is where it was', async () => {
    await spoilt(flipFirst);
    const content = randomBytes(4 * MiB);
    await restore(await saved(file('damaged', content)), { salvage: true });
    expect(problems).toEqual([expect.objectContaining({ path: '/damaged', kind: 'incomplete' })]);
    const found = readFileSync(at('damaged'));
    expect(found.length).toBe(content.length);
    expect(found.subarray(MiB).equals(content.subarray(MiB))).toBe(true);
    expect(found.subarray(0, MiB).equals(Buffer.alloc(MiB))).toBe(true);
  });

  test('leaves nothing to salvage of a file that was a single blob', async () => {
    await spoilt(flipFirst);
    await restore(await saved(file('small', randomBytes(1000))), { salvage: true });
    expect(problems).toEqual([expect.objectContaining({ path: '/small', kind: 'damaged' })]);
    expect(readdirSync(target)).toEqual([]);
  });

  test('on the way is cured by reading again', async () => {
    let flips = 0;
    await spoilt((bytes, offset) => {
      if (offset !== 0 || flips > 0) return;
      flips += 1;
      bytes[20] = (bytes[20] as number) ^ 1;
    });
    const content = randomBytes(100_000);
    const { counts } = await restore(await saved(file('a', content)));
    expect([problems, counts.filesDone, flips]).toEqual([[], 1, 1]);
    expect(readFileSync(at('a')).equals(content)).toBe(true);
  });

  test('of a hard-linked file is told for each of its names', async () => {
    await spoilt(flipFirst);
    const twins = { links: 2, inode: 9n, deviceId: 1n };
    const content = randomBytes(1000);
    await restore(await saved(file('a', content, twins), file('b', content, twins)));
    expect(problems.map(({ path }) => path).sort()).toEqual(['/a', '/b']);
    expect(readdirSync(target)).toEqual([]);
  });

  test('a pack that is gone costs its files and no others', async () => {
    const files = new Map<string, Uint8Array>();
    made = await makeRepository({ backend: openMemory({ files }), packSize: 3 * MiB });
    const lost = file('lost', randomBytes(4 * MiB));
    const tree = await saved(lost, file('there', randomBytes(4 * MiB)));
    const { pack } = made.indexed.index.lookup('data', (lost.content as Id[])[0] as Id) ?? {};
    for (const name of files.keys()) if (name.includes(pack as string)) files.delete(name);
    await restore(tree);
    expect(problems).toEqual([expect.objectContaining({ path: '/lost', kind: 'damaged' })]);
    expect(readdirSync(target)).toEqual(['there']);
  });

  test('a blob that no index names is told before anything is written', async () => {
    const unknown = 'cd'.repeat(32) as Id;
    const tree = await saved(
      handmadeNode({ name: 'a', content: [unknown], size: 5 }),
      file('b', Buffer.from('b')),
    );
    await restore(tree);
    expect(problems).toEqual([expect.objectContaining({ path: '/a', kind: 'damaged' })]);
    expect(readdirSync(target)).toEqual(['b']);
  });
});

describe('verify', () => {
  test('reads everything back', async () => {
    const tree = await saved(file('a', randomBytes(3 * MiB)), file('b', Buffer.from('b')));
    const { counts } = await restore(tree, { verify: true });
    expect(counts).toMatchObject({ filesVerified: 2, bytesVerified: 3 * MiB + 1, problems: 0 });
  });

  test('finds what if-changed was wrong to believe', async () => {
    const tree = await saved(file('a', Buffer.from('snapshot')));
    await restore(tree);
    writeFileSync(at('a'), 'SNAPSHOT');
    const time = 1_700_000_000_123_456_789n;
    openPosix().times?.set(Buffer.from(at('a')), { atime: time, mtime: time });
    const { counts } = await restore(tree, { overwrite: 'if-changed', verify: true });
    expect(counts).toMatchObject({ filesUnchanged: 1, filesVerified: 0, problems: 1 });
    expect(problems).toEqual([expect.objectContaining({ path: '/a', kind: 'differs' })]);
  });
});

test('a dry run counts and changes nothing', async () => {
  const tree = await saved(directory('d', [file('a', randomBytes(100))]), file('b', Buffer.from('b')));
  const { counts } = await restore(tree, { dryRun: true });
  expect(counts).toMatchObject({ filesExpected: 2, bytesExpected: 101, filesDone: 0 });
  expect(existsSync(target)).toBe(false);
  mkdirSync(target);
  writeFileSync(at('d'), 'in the way');
  await restore(tree, { dryRun: true });
  expect(readFileSync(at('d'), 'utf8')).toBe('in the way');
});

test('zeros become holes, and are zeros when they are read', async () => {
  const content = Buffer.concat([Buffer.alloc(4 * MiB), randomBytes(MiB), Buffer.alloc(3 * MiB)]);
  const small = Buffer.alloc(200_000);
  const tree = await saved(file('sparse', content), file('zeros', small));
  await restore(tree);
  expect(readFileSync(at('sparse')).equals(content)).toBe(true);
  expect(readFileSync(at('zeros')).equals(small)).toBe(true);
  expect(lstatSync(at('sparse')).blocks * 512).toBeLessThan(2 * MiB);
  rmSync(target, { recursive: true });
  await restore(tree, { sparse: false });
  expect(lstatSync(at('sparse')).blocks * 512).toBeGreaterThanOrEqual(8 * MiB);
});

test('what was restored when it was interrupted is completed by the next restore', async () => {
  const contents = Array.from({ length: 12 }, () => randomBytes(2 * MiB));
  made = await makeRepository({ packSize: 2 * MiB });
  const tree = await saved(...contents.map((content, index) => file(`f${10 + index}`, content)));
  const abort = new AbortController();
  const reason = new Failure('interrupted', 'enough');
  let loads = 0;
  const { load } = made.backend;
  made.backend.load = async (handle, range, signal) => {
    if (handle.type === 'pack' && range !== undefined && ++loads === 5) abort.abort(reason);
    return await load(handle, range, signal);
  };
  await expect(restore(tree, { signal: abort.signal })).rejects.toBe(reason);
  made.backend.load = load;
  const { counts } = await restore(tree, { overwrite: 'if-changed', verify: true });
  expect(counts).toMatchObject({ filesDone: 12, filesVerified: 12, problems: 0 });
  expect(counts.bytesWritten).toBeLessThanOrEqual(24 * MiB);
});

test('a file that may not be written to is replaced', async () => {
  const tree = await saved(file('a', Buffer.from('snapshot'), { mode: 0o444 }));
  await restore(tree);
  chmodSync(at('a'), 0o644);
  appendFileSync(at('a'), 'more');
  chmodSync(at('a'), 0o444);
  await restore(tree);
  expect(problems).toEqual([]);
  expect(readFileSync(at('a'), 'utf8')).toBe('snapshot');
});

test('what cannot be kept is counted by kind and said once', async () => {
  const tree = await saved(
    handmadeNode({ name: 's1', type: 'socket' }),
    handmadeNode({ name: 's2', type: 'socket' }),
    file('a', Buffer.from('a'), {
      extendedAttributes: [{ name: Buffer.from('no.such.space'), value: Buffer.from('1') }],
    }),
  );
  const { notKept, incomplete } = await restore(tree);
  expect(notKept.map(({ kind, count }) => [kind, count])).toEqual([
    ['attributes', 1],
    ['sockets', 2],
  ]);
  expect(notKept.every(({ reason }) => reason !== '')).toBe(true);
  expect(incomplete).toBe(false);
});

test('a program that ran as its owner does not come back as one that runs as somebody else', async () => {
  const stranger = (process.getuid?.() ?? 0) + 4321;
  const tree = await saved(file('setuid', Buffer.from('#!'), { mode: 0o4755, uid: stranger }));
  const { notKept } = await restore(tree, { ownership: 'none' });
  expect(lstatSync(at('setuid')).mode & 0o7777).toBe(0o755);
  expect(notKept).toEqual([expect.objectContaining({ kind: 'modes', count: 1 })]);
});

test('a target that cannot be made is a failure that names it', async () => {
  writeFileSync(join(scratch, 'file'), '');
  const tree = await saved(file('a', Buffer.from('a')));
  const wrong = join(scratch, 'file', 'target');
  await expect(restore(tree, { target: wrong })).rejects.toMatchObject({
    code: 'target.write',
    subject: wrong,
  });
});

describe('of files with copies further on', () => {
  const content = randomBytes(3 * MiB);

  async function packLoads(place: Pick<Backend, 'near'>): Promise<number> {
    const backend = meter({ ...openMemory(), ...place });
    made = await makeRepository({ backend });
    const copies = ['first', 'second', 'third'].map((name) => directory(name, [file('a', content)]));
    const tree = await saved(...copies);
    const before = backend.reading().load.pack.calls;
    await restore(tree);
    for (const name of ['first', 'second', 'third']) expect(readFileSync(at(name, 'a'))).toEqual(content);
    return backend.reading().load.pack.calls - before;
  }

  test('from far away each pack is loaded once', async () => {
    expect(await packLoads({})).toBe(1 + content.length / MiB);
  });

  test('from a disk of this machine writing begins before all is known', async () => {
    expect(await packLoads({ near: true })).toBeGreaterThan(1 + content.length / MiB);
  });
});
