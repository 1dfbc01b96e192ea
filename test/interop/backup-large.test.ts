import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect } from 'vitest';
import type { ScanProblem } from '../../engine/src/archive/backup/protocol.ts';
import { sha256Id } from '../../engine/src/kernel/hash.ts';
import { BackupScene } from '../scenes/backup-scene.ts';
import { contentOf } from '../scenes/tree-arbitrary.ts';
import { treeFacts } from '../scenes/tree-facts.ts';
import { restic } from '../servers/restic.ts';
import { testWith } from '../servers/test-with.ts';

const withRestic = testWith(restic);
const MiB = 1024 * 1024;

interface ResticNode {
  readonly name: string;
  readonly content?: readonly string[];
  readonly subtree?: string;
}

describe('large trees', () => {
  withRestic('a folder of 20,000 files comes back, and costs nothing the second time', async ({ server }) => {
    using scene = new BackupScene();
    for (let file = 0; file < 20_000; file += 1)
      writeFileSync(join(scene.tree, `file ${file}`), `content ${file % 15_000}`);
    const repository = await scene.create();
    const { counts } = await scene.backup(repository, { workers: 3 });
    expect(counts).toMatchObject({ filesNew: 20_000, dataBlobs: 15_000 });
    writeFileSync(join(scene.tree, 'file 777'), 'changed');
    const second = await scene.backup(repository, { workers: 3 });
    expect(second.counts.filesUnmodified + second.counts.filesChanged).toBe(20_000);
    expect(second.counts.dataBlobs).toBe(1);

    // Restoring so many takes restic a minute. It checks every byte instead, and each file is the blob of its content.
    expect(await scene.restic(server, 'check', '--read-data')).toContain('no errors were found');
    const nodesOf = async (tree: string) =>
      (JSON.parse(await scene.restic(server, 'cat', 'blob', tree)) as { nodes: ResticNode[] }).nodes;
    const [root] = await nodesOf(second.snapshot!.tree);
    const found = (await nodesOf(root!.subtree!)).map(({ name, content }) => `${name} ${content}`);
    const wanted = readdirSync(scene.tree).map(
      (name) => `${name} ${sha256Id(readFileSync(join(scene.tree, name)))}`,
    );
    expect(found.toSorted()).toEqual(wanted.toSorted());
  });

  withRestic(
    'a file of many segments comes back, and one byte that was inserted costs little',
    async ({ server }) => {
      using scene = new BackupScene();
      const content = contentOf(300 * MiB + 12_345, 1);
      writeFileSync(join(scene.tree, 'large'), content);
      const repository = await scene.create();
      const first = await scene.backup(repository, { workers: 3 });
      expect(first.counts).toMatchObject({
        filesNew: 1,
        bytesProcessed: content.length,
        bytesRead: content.length,
      });
      expect(treeFacts(await scene.restored(server, first.snapshot!.id))).toEqual(treeFacts(scene.tree));
      const at = 70 * MiB;
      writeFileSync(
        join(scene.tree, 'large'),
        Buffer.concat([content.subarray(0, at), Buffer.from('!'), content.subarray(at)]),
      );
      const second = await scene.backup(repository);
      // The chunk it lies in, and one or two at each later border of a segment, where the cut is not the content's.
      expect(second.counts.dataAdded).toBeLessThan(60 * MiB);
      expect(treeFacts(await scene.restored(server, second.snapshot!.id))).toEqual(treeFacts(scene.tree));
    },
  );

  withRestic('a file of 10 GB that is nearly all hole is saved without being read', async ({ server }) => {
    using scene = new BackupScene();
    const path = join(scene.tree, 'sparse');
    const file = openSync(path, 'w');
    for (const position of [5 * MiB, 3_000 * MiB, 9_999 * MiB + 1]) writeSync(file, 'data', position);
    closeSync(file);
    truncateSync(path, 10_000 * MiB + 77);
    const repository = await scene.create();
    const { snapshot, counts } = await scene.backup(repository);
    expect(counts.bytesProcessed).toBe(10_000 * MiB + 77);
    expect(counts.bytesRead).toBeLessThan(5 * 64 * MiB);
    expect(scene.repositoryBytes).toBeLessThan(MiB);
    const nodes = (await scene.restic(server, 'ls', '--json', snapshot!.id)).trim().split('\n').slice(1);
    expect(JSON.parse(nodes.at(-1)!)).toMatchObject({ name: 'sparse', size: 10_000 * MiB + 77 });
    expect(await scene.restic(server, 'check', '--read-data')).toContain('no errors were found');
  });
});

describe('files that do not hold still', () => {
  withRestic.for([
    // Of one segment: as long to read as that allows, so that the writer gets its turn on a busy machine.
    ['a small file that grows', 48 * MiB],
    ['a file of several segments', 200 * MiB],
  ] as const)('%s while it is read is reported, and the snapshot is whole', async ([, size], { server }) => {
    using scene = new BackupScene();
    const path = join(scene.tree, 'busy');
    writeFileSync(path, contentOf(size, 1));
    const repository = await scene.create();
    const script = `const fs = require('fs'); const f = fs.openSync(process.argv[1], 'r+'); process.stdout.write('writing');
      for (let i = 0; ; i += 1) { fs.writeSync(f, String(i), (i * 7919) % ${size}); if (i % 50 === 0) fs.writeSync(f, 'grown', ${size} + i); }`;
    const writer = spawn(process.execPath, ['-e', script, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      await once(writer.stdout, 'data');
      const problems: ScanProblem[] = [];
      const { snapshot, incomplete } = await scene.backup(repository, {
        onProblem: (problem) => problems.push(problem),
      });
      expect(problems.map(({ kind, path }) => ({ kind, path }))).toEqual([{ kind: 'changed', path }]);
      expect(incomplete).toBe(false);
      await scene.restored(server, snapshot!.id);
      expect(await scene.restic(server, 'check', '--read-data')).toContain('no errors were found');
    } finally {
      const closed = once(writer, 'close');
      writer.kill('SIGKILL');
      await closed;
    }
    const { snapshot } = await scene.backup(repository);
    expect(treeFacts(await scene.restored(server, snapshot!.id))).toEqual(treeFacts(scene.tree));
  });

  withRestic(
    'what may not be read is listed and left out, and the rest is saved',
    async ({ server, skip }) => {
      if (process.getuid?.() !== 0) skip('an unreadable file of another user needs root');
      using scene = new BackupScene();
      const repository = await scene.create();
      await repository.backend.close();
      mkdirSync(join(scene.tree, 'closed folder'));
      writeFileSync(join(scene.tree, 'closed folder', 'inside'), 'x');
      writeFileSync(join(scene.tree, 'open'), 'open');
      writeFileSync(join(scene.tree, 'closed'), 'closed');
      writeFileSync(join(scene.tree, 'large and closed'), '');
      truncateSync(join(scene.tree, 'large and closed'), 200 * MiB);
      for (const name of ['closed', 'closed folder', 'large and closed'])
        chmodSync(join(scene.tree, name), 0o000);
      chmodSync(scene.base, 0o755);
      for (const path of everythingBelow(scene.repositoryPath)) chownSync(path, 65534, 65534);

      const script = fileURLToPath(new URL('../scenes/backup-as-nobody.ts', import.meta.url));
      const child = spawn(process.execPath, [script, scene.repositoryPath, scene.tree], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let output = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
      await once(child, 'close');
      const { problems, incomplete, snapshot } = JSON.parse(output) as {
        problems: ScanProblem[];
        incomplete: boolean;
        snapshot: string;
      };
      expect(
        problems.map(({ kind, path, code }) => `${kind} ${path.slice(scene.tree.length + 1)} ${code}`).sort(),
      ).toEqual([
        'unreadable closed EACCES',
        'unreadable closed folder EACCES',
        'unreadable large and closed EACCES',
      ]);
      expect(incomplete).toBe(true);
      expect(readdirSync(await scene.restored(server, snapshot))).toEqual(['open']);
    },
  );
});

function everythingBelow(path: string): string[] {
  return [path, ...readdirSync(path, { recursive: true, encoding: 'utf8' }).map((name) => join(path, name))];
}
