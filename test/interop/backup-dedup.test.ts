import { copyFileSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { BackupScene } from '../scenes/backup-scene.ts';
import { contentOf } from '../scenes/tree-arbitrary.ts';
import { restic } from '../servers/restic.ts';
import { testWith } from '../servers/test-with.ts';

const withRestic = testWith(restic);
const MiB = 1024 * 1024;

test('the same content in many places is stored once, whichever worker meets it', async () => {
  using scene = new BackupScene();
  const shared = contentOf(3 * MiB, 1);
  for (let folder = 0; folder < 12; folder += 1) {
    mkdirSync(join(scene.tree, `folder ${folder}`));
    for (let file = 0; file < 4; file += 1)
      writeFileSync(join(scene.tree, `folder ${folder}`, `file ${file}`), shared);
  }
  const repository = await scene.create();
  const { counts } = await scene.backup(repository, { workers: 4 });
  expect(counts.bytesProcessed).toBe(48 * shared.length);
  expect(counts.dataAdded).toBe(shared.length);
  expect(scene.repositoryBytes).toBeLessThan(shared.length * 1.02);
});

test('bytes inserted in the middle of a file add the chunks around them only', async () => {
  using scene = new BackupScene();
  const content = contentOf(40 * MiB, 1);
  writeFileSync(join(scene.tree, 'file'), content);
  const repository = await scene.create();
  await scene.backup(repository);
  const middle = content.length / 2;
  writeFileSync(
    join(scene.tree, 'file'),
    Buffer.concat([content.subarray(0, middle), contentOf(1234, 9), content.subarray(middle)]),
  );
  const { counts } = await scene.backup(repository);
  expect(counts.dataBlobs).toBeLessThanOrEqual(6);
  expect(counts.dataAdded).toBeLessThan(12 * MiB);
});

withRestic(
  'a repository of ours is at most two percent larger than restic’s of the same tree',
  async ({ server, annotate }) => {
    using scene = new BackupScene();
    const bytes = growMixedTree(scene.tree, 50 * MiB);
    expect(bytes).toBeGreaterThan(45 * MiB);
    const repository = await scene.create();
    const empty = scene.repositoryBytes;
    await scene.backup(repository);
    const ours = scene.repositoryBytes - empty;

    using other = new BackupScene();
    await (await other.create()).backend.close();
    await other.resticIn(join(scene.base, 'source'), server, 'backup', 'tree');
    const theirs = other.repositoryBytes - empty;
    await annotate(`ours ${ours} bytes, restic ${server.version}’s ${theirs}: ${(ours / theirs).toFixed(4)}`);
    expect(ours / theirs).toBeLessThan(1.02);
  },
);

/** Real files (our own dependencies: sources, JSON, WASM), some of them twice, noise and a log. Returns their bytes. */
function growMixedTree(tree: string, most: number): number {
  const modules = fileURLToPath(new URL('../../node_modules', import.meta.url));
  let bytes = 0;
  const put = (name: string, content: Buffer) => {
    writeFileSync(join(tree, name), content);
    bytes += content.length;
  };
  put('noise', contentOf(8 * MiB, 1));
  put(
    'log',
    Buffer.from(
      Array.from({ length: 100_000 }, (_, line) => `2026-07-01 request ${line} took ${line % 977} ms\n`).join(
        '',
      ),
    ),
  );
  for (const name of readdirSync(modules, { recursive: true, encoding: 'utf8' }).sort()) {
    const stat = statSync(join(modules, name), { throwIfNoEntry: false });
    if (!stat?.isFile() || stat.size > 4 * MiB || bytes + stat.size > most) continue;
    mkdirSync(join(tree, dirname(name)), { recursive: true });
    copyFileSync(join(modules, name), join(tree, name));
    bytes += stat.size;
  }
  return bytes;
}
