import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { BackupScene, HOST } from '../scenes/backup-scene.ts';
import { restic } from '../servers/restic.ts';
import { testWith } from '../servers/test-with.ts';

const withRestic = testWith(restic);

/** What is asked for, in `work`; `BASE` stands for the scene's own folder. */
const cases: Record<string, { paths: string[]; exclude?: string[] }> = {
  'a folder': { paths: ['a'] },
  'two folders': { paths: ['a', 'b'] },
  'a folder and one inside it': { paths: ['a', 'a/deep'] },
  'two folders inside one': { paths: ['a/deep', 'a/other'] },
  'a file': { paths: ['a/file'] },
  'here': { paths: ['.'] },
  'here, with something left out': { paths: ['.'], exclude: ['b'] },
  'one above': { paths: ['../work'] },
  'all that lies above': { paths: ['..'] },
  'an absolute path': { paths: ['BASE/source/work/a'] },
  'a path through a symlink': { paths: ['BASE/source/work/way/file'] },
  'a folder through a symlink': { paths: ['way/deep'] },
  'a symlink': { paths: ['way'] },
  'a path with a slash at its end': { paths: ['a/'] },
  'what is excluded itself': { paths: ['a', 'b'], exclude: ['b'] },
  'the same twice': { paths: ['a', './a'] },
};

withRestic.for(Object.entries(cases))(
  '%s becomes the snapshot that restic makes of it',
  async ([, { paths, exclude = [] }], { server }) => {
    using scene = new BackupScene();
    const work = join(scene.base, 'source', 'work');
    for (const folder of ['a/deep', 'a/other', 'b']) {
      mkdirSync(join(work, folder), { recursive: true });
      writeFileSync(join(work, folder, 'inside'), folder);
    }
    writeFileSync(join(work, 'a', 'file'), 'file');
    symlinkSync('a', join(work, 'way'));
    const asked = paths.map((path) => path.replace('BASE', scene.base));

    const repository = await scene.create();
    const { snapshot } = await scene.backup(repository, {
      paths: asked,
      workingDirectory: work,
      selection: { patterns: exclude, patternsIgnoringCase: [], tagFiles: [] },
    });
    const flags = exclude.flatMap((pattern) => ['--exclude', pattern]);
    await scene.resticIn(work, server, 'backup', '--force', '--host', 'stock', ...flags, ...asked);

    const list = async (host: string) => {
      const lines = (await scene.restic(server, 'ls', '--json', '--host', host, 'latest')).trim().split('\n');
      return lines.map(
        (line) => JSON.parse(line) as { path: string; type: string; paths?: string[]; struct_type: string },
      );
    };
    const [ours, ...ourNodes] = await list(HOST);
    const [theirs, ...theirNodes] = await list('stock');
    const shape = (nodes: typeof ourNodes) => nodes.map(({ path, type }) => `${type} ${path}`);
    expect(shape(ourNodes)).toEqual(shape(theirNodes));
    expect(ours!.paths!.toSorted()).toEqual([...new Set(theirs!.paths!)].toSorted());
    expect(snapshot!.paths).toEqual(ours!.paths);
  },
);
