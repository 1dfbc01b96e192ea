import {
  appendFileSync,
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import type { BackupOptions } from '../../engine/src/archive/backup/backup.ts';
import { openPosix } from '../../engine/src/kernel/posix/posix.ts';
import { BackupScene } from '../scenes/backup-scene.ts';
import { treeFacts } from '../scenes/tree-facts.ts';
import { restic } from '../servers/restic.ts';
import { testWith } from '../servers/test-with.ts';

const withRestic = testWith(restic);
const posix = openPosix();

/** A folder for each kind of change, so that all of them happen in one tree and none hides another. */
function growTree(tree: string): void {
  for (const change of Object.keys(changes)) {
    const folder = join(tree, change);
    mkdirSync(join(folder, 'below'), { recursive: true });
    writeFileSync(join(folder, 'file'), `content of ${change}`);
    writeFileSync(join(folder, 'other'), `other of ${change}`);
    writeFileSync(join(folder, 'below', 'deep'), `deep in ${change}`);
    symlinkSync('file', join(folder, 'link'));
  }
  mkdirSync(join(tree, 'nothing changes', 'here'), { recursive: true });
  writeFileSync(join(tree, 'nothing changes', 'here', 'file'), 'stays');
}

function withTimesKept(path: string, change: () => void): void {
  const { atimeNs, mtimeNs } = lstatSync(path, { bigint: true });
  change();
  posix.times?.set(Buffer.from(path), { atime: atimeNs, mtime: mtimeNs });
}

const changes: Record<string, (folder: string) => void> = {
  'content of the same size, mtime put back': (folder) => {
    const file = join(folder, 'file');
    withTimesKept(file, () => writeFileSync(file, readFileSync(file, 'utf8').toUpperCase()));
  },
  touched: (folder) => utimesSync(join(folder, 'file'), 1e9, 1e9),
  'mode changed': (folder) => chmodSync(join(folder, 'file'), 0o4711),
  'owner changed': (folder) => {
    if (process.getuid?.() === 0) chownSync(join(folder, 'file'), 12, 34);
    else chmodSync(join(folder, 'file'), 0o600);
  },
  'attribute added': (folder) =>
    posix.attributes?.set(Buffer.from(join(folder, 'file')), Buffer.from('user.new'), Buffer.from('x')),
  'attribute of a folder added': (folder) =>
    posix.attributes?.set(Buffer.from(join(folder, 'below')), Buffer.from('user.new'), Buffer.from('x')),
  'file renamed': (folder) => renameSync(join(folder, 'file'), join(folder, 'renamed')),
  'file renamed over another': (folder) => renameSync(join(folder, 'file'), join(folder, 'other')),
  'folder renamed': (folder) => renameSync(join(folder, 'below'), join(folder, 'beneath')),
  'file replaced by a folder': (folder) => {
    rmSync(join(folder, 'file'));
    mkdirSync(join(folder, 'file'));
    writeFileSync(join(folder, 'file', 'inside'), 'new');
  },
  'folder replaced by a file': (folder) => {
    rmSync(join(folder, 'below'), { recursive: true });
    writeFileSync(join(folder, 'below'), 'a file now');
  },
  'file replaced by a symlink': (folder) => {
    rmSync(join(folder, 'file'));
    symlinkSync('other', join(folder, 'file'));
  },
  'symlink replaced by one of the same length': (folder) => {
    rmSync(join(folder, 'link'));
    symlinkSync('elif', join(folder, 'link'));
  },
  'file deleted': (folder) => rmSync(join(folder, 'file')),
  'folder deleted': (folder) => rmSync(join(folder, 'below'), { recursive: true }),
  'file added': (folder) => writeFileSync(join(folder, 'added'), 'new'),
  'folder added': (folder) => mkdirSync(join(folder, 'added')),
  'file linked once more': (folder) => linkSync(join(folder, 'file'), join(folder, 'second name')),
  'file grown': (folder) => appendFileSync(join(folder, 'file'), 'more'),
  'file cut': (folder) => truncateSync(join(folder, 'file'), 3),
  'file emptied': (folder) => truncateSync(join(folder, 'file'), 0),
  'only the time of a folder': (folder) => utimesSync(join(folder, 'below'), 1e9, 1e9),
  'two files swapped': (folder) => {
    renameSync(join(folder, 'file'), join(folder, 'x'));
    renameSync(join(folder, 'other'), join(folder, 'file'));
    renameSync(join(folder, 'x'), join(folder, 'other'));
  },
};

const ways: Record<
  string,
  { first?: Partial<BackupOptions>; second?: Partial<BackupOptions>; between?: (scene: BackupScene) => void }
> = {
  'with the scan cache': {},
  'from the parent’s trees': { second: { cacheDirectory: undefined as never } },
  'ignoring inodes': { second: { ignoreInode: true } },
  'ignoring ctimes': { second: { ignoreCtime: true } },
  'with a scan cache that was damaged': { between: damageCaches },
  'with one worker': { first: { workers: 1 }, second: { workers: 1 } },
  'with access times': { first: { withAtime: true }, second: { withAtime: true } },
  'with access times only the second time': { second: { withAtime: true } },
  'reading everything': { second: { force: true } },
};

function damageCaches(scene: BackupScene): void {
  for (const entry of readdirSync(scene.cacheDirectory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name === 'CACHEDIR.TAG') continue;
    const path = join(entry.parentPath, entry.name);
    const bytes = readFileSync(path);
    bytes[bytes.length >> 1]! ^= 1;
    writeFileSync(path, bytes);
  }
}

describe('a second backup shows the tree as it is now, whatever changed', () => {
  withRestic.for(Object.entries(ways))('%s', async ([, { first, second, between }], { server }) => {
    using scene = new BackupScene();
    growTree(scene.tree);
    const repository = await scene.create();
    await scene.backup(repository, first);
    between?.(scene);
    for (const [name, change] of Object.entries(changes)) change(join(scene.tree, name));

    const { snapshot, counts, parent } = await scene.backup(repository, second);
    expect(parent === undefined).toBe(second?.force === true);
    expect(counts.problems).toBe(0);
    expect(treeFacts(await scene.restored(server, snapshot!.id))).toEqual(treeFacts(scene.tree));
    expect(await scene.restic(server, 'check', '--read-data')).toContain('no errors were found');
  });

  withRestic('and a third one, at once after the second, as well', async ({ server }) => {
    using scene = new BackupScene();
    growTree(scene.tree);
    const repository = await scene.create();
    for (const [index, [name, change]] of Object.entries(changes).entries()) {
      if (index % 4 === 0) await scene.backup(repository);
      change(join(scene.tree, name));
    }
    const { snapshot } = await scene.backup(repository);
    expect(treeFacts(await scene.restored(server, snapshot!.id))).toEqual(treeFacts(scene.tree));
  });

  withRestic('after a backup of other paths in between', async ({ server }) => {
    using scene = new BackupScene();
    growTree(scene.tree);
    const repository = await scene.create();
    const { snapshot: first } = await scene.backup(repository);
    await scene.backup(repository, { paths: ['tree/file grown'] });
    for (const [name, change] of Object.entries(changes)) change(join(scene.tree, name));
    const { snapshot, parent } = await scene.backup(repository);
    expect(parent?.id).toBe(first?.id);
    expect(treeFacts(await scene.restored(server, snapshot!.id))).toEqual(treeFacts(scene.tree));
  });

  withRestic('while another snapshot cannot be read', async ({ server }) => {
    using scene = new BackupScene();
    growTree(scene.tree);
    const repository = await scene.create();
    const { snapshot: first } = await scene.backup(repository);
    const { snapshot: damaged } = await scene.backup(repository);
    const file = join(scene.repositoryPath, 'snapshots', damaged!.id);
    chmodSync(file, 0o600);
    truncateSync(file, 40);
    for (const [name, change] of Object.entries(changes)) change(join(scene.tree, name));
    const { snapshot, parent } = await scene.backup(repository);
    expect(parent?.id).toBe(first?.id);
    expect(treeFacts(await scene.restored(server, snapshot!.id))).toEqual(treeFacts(scene.tree));
  });
});

withRestic(
  'what changed within the tick of the clock in which it was saved is noticed',
  async ({ server }) => {
    using scene = new BackupScene();
    const file = join(scene.tree, 'file');
    const repository = await scene.create();
    writeFileSync(file, 'before');
    // A clock of the file system that stands still: what comes after the backup bears the very same stamps. The parent
    // is made to say that it was begun then, which is all that a real one would show as well.
    const { snapshot } = await scene.backup(repository);
    const ctime = Number(lstatSync(file, { bigint: true }).ctimeNs / 1_000_000n);
    withTimesKept(file, () => writeFileSync(file, 'AFTER!'));
    const parent = {
      ...snapshot!,
      summary: { ...snapshot!.summary!, backupStart: new Date(ctime).toISOString() },
    };
    const { snapshot: second, counts } = await scene.backup(repository, { parent, ignoreCtime: true });
    expect(counts.filesUnmodified).toBe(0);
    expect(readFileSync(join(await scene.restored(server, second!.id), 'file'), 'utf8')).toBe('AFTER!');
  },
);

withRestic(
  'an unchanged tree costs nothing: no file is read, no blob added, the same tree',
  async ({ server }) => {
    using scene = new BackupScene();
    growTree(scene.tree);
    const repository = await scene.create();
    const settled = { trustAfter: lstatSync(scene.tree).ctimeMs };
    const { snapshot: first } = await scene.backup(repository, later(settled));
    for (const cacheDirectory of [scene.cacheDirectory, undefined]) {
      const { snapshot, counts } = await scene.backup(repository, {
        ...later(settled),
        cacheDirectory: cacheDirectory as never,
      });
      expect(counts).toMatchObject({
        bytesRead: 0,
        dataBlobs: 0,
        filesNew: 0,
        filesChanged: 0,
        dirsNew: 0,
        dirsChanged: 0,
      });
      expect(counts.filesUnmodified).toBe(Object.keys(changes).length * 3 + 1);
      expect(snapshot!.tree).toBe(first!.tree);
    }
    expect(await scene.restic(server, 'check')).toContain('no errors were found');
  },
);

/** A clock that is past the files’ last change, so that none of them is doubted. */
function later({ trustAfter }: { trustAfter: number }): Partial<BackupOptions> {
  return { clock: { now: () => Math.max(Date.now(), trustAfter + 1000), sleep: async () => undefined } };
}
