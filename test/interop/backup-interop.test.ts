import {
  chmodSync,
  chownSync,
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect } from 'vitest';
import { fromText } from '../../engine/src/archive/backup/byte-path.ts';
import { openPosix } from '../../engine/src/kernel/posix/posix.ts';
import { BackupScene, HOST } from '../scenes/backup-scene.ts';
import { contentOf } from '../scenes/tree-arbitrary.ts';
import { treeFacts } from '../scenes/tree-facts.ts';
import { restic } from '../servers/restic.ts';
import type { Obtained } from '../servers/server.ts';
import { testWith } from '../servers/test-with.ts';

const withRestic = testWith(restic);
const posix = openPosix();
const isRoot = process.getuid?.() === 0;

/** One of everything; returns how many files there are. */
function growEverything(tree: string): number {
  const at = (name: string) => join(tree, name);
  mkdirSync(at('folder/empty'), { recursive: true });
  writeFileSync(at('empty file'), '');
  writeFileSync(at('folder/small'), 'small');
  writeFileSync(at('middle'), contentOf(300_000, 1));
  writeFileSync(Buffer.from(`${tree}/n\xe4me \xff\n"\\`, 'latin1'), 'a name that is no text');
  writeFileSync(at('näme <&> \u2028'), 'a name that JSON escapes');
  writeFileSync(at('setuid'), 'x');
  chmodSync(at('setuid'), 0o6755);
  writeFileSync(at('second name'), 'linked');
  linkSync(at('second name'), at('first name'));
  symlinkSync('folder/small', at('link'));
  symlinkSync('nowhere <&>', at('dangling'));
  chmodSync(at('folder/empty'), 0o1777);
  const sparse = openSync(at('sparse'), 'w');
  writeSync(sparse, 'x', 200_000);
  closeSync(sparse);
  for (const name of ['first name', 'folder']) {
    posix.attributes?.set(Buffer.from(at(name)), Buffer.from('user.b'), Buffer.from([0, 255]));
    posix.attributes?.set(Buffer.from(at(name)), Buffer.from('user.a'), Buffer.from('text'));
  }
  posix.nodes?.make(Buffer.from(at('fifo')), 0o010644, 0n);
  if (isRoot) {
    chownSync(at('middle'), 1, 2);
    chownSync(at('setuid'), 54321, 54321);
    chmodSync(at('setuid'), 0o6755);
    posix.nodes?.make(Buffer.from(at('null')), 0o020666, 0x103n);
    posix.nodes?.make(Buffer.from(at('disk')), 0o060660, 0x801n);
  }
  posix.times?.set(Buffer.from(at('empty file')), { atime: -5n, mtime: -1_234_567_890_123_456_789n });
  posix.times?.set(Buffer.from(at('folder/small')), { atime: 1n, mtime: 1_500_000_000_000_000_000n });
  posix.times?.set(Buffer.from(at('link')), { atime: 1n, mtime: 1_500_000_000_120_000_000n });
  return 9;
}

interface ResticSummary {
  readonly message_type: string;
  readonly files_new: number;
  readonly files_changed: number;
  readonly files_unmodified: number;
  readonly dirs_changed: number;
  readonly data_blobs: number;
  readonly data_added: number;
  readonly snapshot_id: string;
}

async function resticBackup(
  scene: BackupScene,
  server: Obtained,
  ...flags: string[]
): Promise<ResticSummary> {
  const output = await scene.restic(server, 'backup', '--json', '--host', HOST, ...flags, scene.tree);
  const lines = output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as ResticSummary);
  return lines.find((line) => line.message_type === 'summary')!;
}

withRestic.for(['1', '2'])(
  'we back up into a repository of version %s that restic made',
  async (version, { server }) => {
    using scene = new BackupScene();
    await scene.restic(server, 'init', '--repository-version', version);
    growEverything(scene.tree);
    const repository = await scene.open();
    expect(String(repository.config.version)).toBe(version);
    const { snapshot } = await scene.backup(repository);
    expect(treeFacts(await scene.restored(server, snapshot!.id))).toEqual(treeFacts(scene.tree));
    expect(await scene.restic(server, 'check', '--read-data')).toContain('no errors were found');
  },
);

withRestic(
  'after a backup of ours restic reads nothing again: each file is unmodified to it',
  async ({ server }) => {
    using scene = new BackupScene();
    const repository = await scene.create();
    const files = growEverything(scene.tree);
    const { snapshot } = await scene.backup(repository, { paths: [fromText(scene.tree)] });
    const { files_new, files_changed, files_unmodified, data_blobs, ...summary } = await resticBackup(
      scene,
      server,
    );
    expect({ files_new, files_changed, files_unmodified, data_blobs }).toEqual({
      files_new: 0,
      files_changed: 0,
      files_unmodified: files,
      data_blobs: 0,
    });
    const [theirs] = JSON.parse(await scene.restic(server, 'snapshots', '--json', summary.snapshot_id)) as {
      parent: string;
    }[];
    expect(theirs!.parent).toBe(snapshot!.id);
    const restored = await scene.restored(server, summary.snapshot_id);
    expect(treeFacts(join(restored, '..', scene.tree))).toEqual(treeFacts(scene.tree));
  },
);

withRestic(
  'after a backup of restic’s we read nothing again, and the next one has a scan cache',
  async ({ server }) => {
    using scene = new BackupScene();
    const repository = await scene.create();
    const files = growEverything(scene.tree);
    const { snapshot_id } = await resticBackup(scene, server);
    const paths = [fromText(scene.tree)];
    for (let round = 0; round < 2; round += 1) {
      const { parent, counts, snapshot } = await scene.backup(repository, { paths });
      if (round === 0) expect(parent!.id.startsWith(snapshot_id)).toBe(true);
      expect(counts).toMatchObject({
        bytesRead: 0,
        dataBlobs: 0,
        filesNew: 0,
        filesChanged: 0,
        filesUnmodified: files,
      });
      const restored = join(await scene.restored(server, snapshot!.id), '..', scene.tree);
      expect(treeFacts(restored)).toEqual(treeFacts(scene.tree));
    }
    expect(await scene.restic(server, 'check', '--read-data')).toContain('no errors were found');
  },
);

withRestic('our trees are byte for byte those that restic makes', async ({ server }) => {
  using scene = new BackupScene();
  const repository = await scene.create();
  growEverything(scene.tree);
  const socket = createServer().listen(join(scene.tree, 'socket'));
  try {
    await scene.backup(repository);
    await scene.resticIn(join(scene.base, 'source'), server, 'backup', '--force', '--host', 'stock', 'tree');
    const treesOf = async (host: string) => {
      const [{ tree }] = JSON.parse(await scene.restic(server, 'snapshots', '--json', '--host', host)) as [
        { tree: string },
      ];
      const text: string[] = [];
      const walk = async (id: string, path: string) => {
        const json = await scene.restic(server, 'cat', 'blob', id);
        text.push(`${path}: ${json.trimEnd().replaceAll('},{', '},\n{')}`);
        for (const node of (JSON.parse(json) as { nodes: { name: string; subtree?: string }[] }).nodes) {
          if (node.subtree !== undefined) await walk(node.subtree, `${path}/${node.name}`);
        }
      };
      await walk(tree, '');
      return text;
    };
    expect(await treesOf(HOST)).toEqual(await treesOf('stock'));
  } finally {
    await new Promise((resolve) => socket.close(resolve));
  }
});

withRestic(
  'both write into one repository in turn, each uses what is there, restic prunes, and all stays whole',
  async ({ server }) => {
    using scene = new BackupScene();
    const repository = await scene.create();
    growEverything(scene.tree);
    for (let round = 0; round < 2; round += 1) {
      writeFileSync(join(scene.tree, `round ${round}`), contentOf(2_000_000, 10 + round));
      await scene.backup(repository, { paths: [fromText(scene.tree)] });
      await resticBackup(scene, server);
    }
    await scene.restic(server, 'forget', '--keep-last', '1', '--group-by', 'host', '--prune');
    const { snapshot } = await scene.backup(await scene.open(), { paths: [fromText(scene.tree)] });
    await scene.restic(server, 'prune', '--max-unused', '0');
    const restored = join(await scene.restored(server, snapshot!.id), '..', scene.tree);
    expect(treeFacts(restored)).toEqual(treeFacts(scene.tree));
    expect(await scene.restic(server, 'check', '--read-data')).toContain('no errors were found');
  },
);
