import { execFile } from 'node:child_process';
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { link, mkdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { afterAll, describe, expect } from 'vitest';
import { type DiffStatistics, diffTrees } from '../../engine/src/archive/browse/diff.ts';
import { dumpPath } from '../../engine/src/archive/browse/dump.ts';
import { findNames } from '../../engine/src/archive/browse/find-names.ts';
import { findObjects } from '../../engine/src/archive/browse/find-objects.ts';
import { listTree } from '../../engine/src/archive/browse/list.ts';
import { openLocal } from '../../engine/src/backend/local/local.ts';
import { modeFromGo } from '../../engine/src/format/go-mode.ts';
import type { StoredSnapshot } from '../../engine/src/format/types.ts';
import type { IndexedRepository } from '../../engine/src/repository/indexed-repository.ts';
import { openRepository } from '../../engine/src/repository/open.ts';
import { selectSnapshot } from '../../engine/src/repository/snapshot-selection.ts';
import { GOLDEN_PASSWORD, GOLDEN_REPOSITORIES, unpackGolden } from '../fixtures/golden/unpack.ts';
import { treeFacts } from '../scenes/tree-facts.ts';
import { restic } from '../servers/restic.ts';
import { testWith } from '../servers/test-with.ts';
import { changeJson, foundNodesJson, foundObjectsJson, listedJson, statisticsJson } from './restic-json.ts';

const execute = promisify(execFile);
const withRestic = testWith(restic);

type Json = Record<string, unknown>;

interface Prepared {
  readonly directory: string;
  readonly indexed: IndexedRepository;
  /** Oldest first. */
  readonly snapshots: readonly StoredSnapshot[];
  readonly restic: (...args: string[]) => Promise<Buffer>;
}

const cleanups: (() => void)[] = [];
afterAll(() => {
  for (const clean of cleanups) clean();
});

const prepared = new Map<string, Promise<Prepared>>();

/** Each repository is unpacked or made once, by the first test that wants it. */
function repositoryOf(name: string, resticPath: string): Promise<Prepared> {
  const known = prepared.get(name) ?? (name === OWN ? makeOwn(resticPath) : openGolden(name, resticPath));
  prepared.set(name, known);
  return known;
}

const OWN = 'one made here';
const repositories = [...GOLDEN_REPOSITORIES, OWN];

async function openGolden(name: string, resticPath: string): Promise<Prepared> {
  const golden = unpackGolden(name as (typeof GOLDEN_REPOSITORIES)[number]);
  cleanups.push(() => golden[Symbol.dispose]());
  return await open(golden.path, runner(resticPath, golden.path), scratch());
}

function scratch(): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'holdfast-browse-'));
  cleanups.push(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function runner(resticPath: string, repository: string): Prepared['restic'] {
  return async (...args) => {
    const { stdout } = await execute(resticPath, ['--repo', repository, '--no-cache', ...args], {
      env: { ...process.env, RESTIC_PASSWORD: GOLDEN_PASSWORD, TZ: 'UTC' },
      encoding: 'buffer',
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout;
  };
}

async function open(repository: string, run: Prepared['restic'], directory: string): Promise<Prepared> {
  const opened = await openRepository(await openLocal({ path: repository }), GOLDEN_PASSWORD);
  return {
    directory,
    indexed: await opened.loadIndex(),
    snapshots: await opened.loadSnapshots(),
    restic: run,
  };
}

/** Two snapshots between which things moved, changed their type, and only their metadata. */
async function makeOwn(resticPath: string): Promise<Prepared> {
  const directory = scratch();
  const [source, repository] = [path.join(directory, 'source'), path.join(directory, 'repository')];
  const run = runner(resticPath, repository);
  const at = (...names: string[]): string => path.join(source, ...names);
  for (const folder of ['same/deep', 'moved', 'gone/with all', 'becomes-file']) {
    await mkdir(at(folder), { recursive: true });
  }
  await writeFile(at('same/deep/kept.txt'), 'kept '.repeat(500));
  await writeFile(at('moved/content.bin'), Buffer.alloc(3_000_000, 'abcdefg'));
  await writeFile(at('gone/with all/copy-of-kept.txt'), 'kept '.repeat(500));
  await writeFile(at('gone/with all/only-here.txt'), 'only here');
  await writeFile(at('grows.log'), 'one line\n');
  await writeFile(at('touched'), 'the same');
  await writeFile(at('becomes-link'), 'a file');
  await writeFile(at(`${'long-name-'.repeat(12)}.txt`), 'longer than a ustar header holds');
  await writeFile(Buffer.concat([Buffer.from(at(`${'x'.repeat(120)}`)), Buffer.from([0xff, 0xe9])]), 'bytes');
  await mkdir(at('a'.repeat(90), 'b'.repeat(90)), { recursive: true });
  await writeFile(at('a'.repeat(90), 'b'.repeat(90), 'far down'), 'x'.repeat(512));
  await symlink('t'.repeat(300), at('long-link'));
  await link(at('a'.repeat(90), 'b'.repeat(90), 'far down'), at('hard-link'));
  await writeFile(at('old'), 'before 1970');
  await utimes(at('old'), -1000.25, -1000.25);

  await run('init');
  await run('backup', '--host', 'own', source);
  await rename(at('moved'), at('moved-away'));
  await rm(at('gone'), { recursive: true });
  await writeFile(at('grows.log'), 'one line\nand another\n');
  await utimes(at('touched'), 1_000_000, 1_000_000);
  await rm(at('becomes-link'));
  await symlink('touched', at('becomes-link'));
  await rm(at('becomes-file'), { recursive: true });
  await writeFile(at('becomes-file'), 'no folder any more');
  await run('backup', '--host', 'own', source);
  return await open(repository, run, directory);
}

describe.each(repositories)('in the repository %s', (name) => {
  // rustic leaves the type out of the mode of devices and of the folders above; restic shows that, we go by the type.
  const comparable = name === 'ru011' ? withoutType : normalized;

  withRestic('ls tells what restic ls tells, of every snapshot', async ({ server }) => {
    const { indexed, snapshots, restic } = await repositoryOf(name, server.path);
    for (const { id, tree } of snapshots) {
      const theirs = jsonLines(await restic('ls', '--json', id)).slice(1);
      const ours = await listed(indexed, tree);
      expect(ours.length).toBeGreaterThan(10);
      expect(ours.map(comparable)).toEqual(theirs.map(comparable));
    }
  });

  withRestic('ls of a folder tells what restic tells, with and without those below', async ({ server }) => {
    const { indexed, snapshots, restic } = await repositoryOf(name, server.path);
    const { id, tree } = last(snapshots);
    const [folder] = pathsOf(await listed(indexed, tree)).filter((found) => found.split('/').length === 3);
    for (const directory of [`${folder}`, path.dirname(`${folder}`)]) {
      for (const recursive of [false, true]) {
        const flags = recursive ? ['--recursive'] : [];
        const theirs = jsonLines(await restic('ls', '--json', ...flags, id, directory)).slice(1);
        const ours = await listed(indexed, tree, { directories: [directory], recursive });
        expect(ours.map(comparable)).toEqual(theirs.map(comparable));
      }
    }
  });

  withRestic('a file is dumped byte for byte', async ({ server }) => {
    const { indexed, snapshots, restic } = await repositoryOf(name, server.path);
    const { id, tree } = last(snapshots);
    const files = (await listed(indexed, tree)).filter((node) => node['type'] === 'file');
    const biggest = files.toSorted((a, b) => Number(b['size']) - Number(a['size'])).slice(0, 3);
    for (const at of pathsOf(biggest)) {
      const dump = await dumpPath(indexed, tree, at, { onProblem: refuse });
      expect(dump.type).toBe('file');
      const theirs = await restic('dump', id, at);
      expect(Buffer.concat(await Array.fromAsync(dump.bytes)).equals(theirs)).toBe(true);
    }
  });

  withRestic('a folder as tar unpacks to what restic restores', async ({ server }) => {
    const { indexed, snapshots, restic, directory } = await repositoryOf(name, server.path);
    for (const { id, tree } of snapshots) {
      const [restored, archive, unpacked] = ['restored', 'dump.tar', 'unpacked'].map((part) =>
        path.join(directory, `${id}-${part}`),
      ) as [string, string, string];
      await restic('restore', id, '--target', restored);
      const { bytes } = await dumpPath(indexed, tree, '/', { onProblem: refuse });
      await pipeline(bytes, createWriteStream(archive));
      await mkdir(unpacked);
      const { stderr } = await execute('tar', [
        ...['--extract', '--preserve-permissions', '--numeric-owner', '--delay-directory-restore', '--acls'],
        ...['--xattrs', '--xattrs-include=*', '--warning=no-unknown-keyword', '--warning=no-timestamp'],
        ...['--file', archive, '--directory', unpacked],
      ]);
      expect(stderr).toBe('');
      const theirs = below(restored);
      expect(Object.keys(theirs).length).toBeGreaterThan(10);
      expect(below(unpacked)).toEqual(theirs);
    }
  });
});

describe.each(['r019-v2', 'ru011', OWN])('searching the repository %s', (name) => {
  withRestic.for([['*.txt'], ['/**/f0?0.dat', 'touched'], ['plain'], ['--ignore-case', 'F00*', 'GROWS.log']])(
    'find %j answers what restic answers',
    async (args, { server }) => {
      const { indexed, snapshots, restic } = await repositoryOf(name, server.path);
      const patterns = args.filter((arg) => !arg.startsWith('--'));
      const theirs = JSON.parse(String(await restic('find', '--json', ...args))) as Json[];
      const ours: Json[] = [];
      const query = { patterns, ignoreCase: args.length > patterns.length };
      for await (const result of findNames(indexed, snapshots, query)) {
        expect(result.problems).toEqual([]);
        if (result.matches.length > 0) ours.push(foundNodesJson(result));
      }
      expect(bySnapshot(ours)).toEqual(bySnapshot(theirs));
    },
  );

  withRestic('find tells where blobs and trees are used, as restic does', async ({ server }) => {
    const { indexed, snapshots, restic } = await repositoryOf(name, server.path);
    const [file, folder] = await contentOf(indexed, snapshots);
    for (const [flag, query, id] of [
      ['--blob', { blobs: [file] }, file],
      ['--tree', { trees: [folder] }, folder],
    ] as const) {
      const theirs = JSON.parse(String(await restic('find', '--json', flag, id))) as Json[];
      const ours: Json[] = [];
      for await (const result of findObjects(indexed, snapshots, query))
        ours.push(...foundObjectsJson(result));
      const facts = ({ object_type, id: object, path: at, snapshot }: Json): string =>
        [object_type, object, at, snapshot].join(' ');
      expect(ours.length).toBeGreaterThan(0);
      expect(new Set(ours.map(withoutSurrogates).map(facts))).toEqual(new Set(theirs.map(facts)));
    }
  });
});

withRestic.for(['r019-v1', 'r019-v2', OWN])(
  'diff tells the changes and the figures that restic tells: %s',
  async (name, { server }) => {
    const { indexed, snapshots, restic } = await repositoryOf(name, server.path);
    const [first, second] = snapshots as [StoredSnapshot, StoredSnapshot];
    for (const [before, after] of [
      [first, second],
      [second, first],
    ] as const) {
      for (const metadata of [false, true]) {
        const flags = metadata ? ['--metadata'] : [];
        const theirs = jsonLines(await restic('diff', '--json', ...flags, before.id, after.id));
        const ours: Json[] = [];
        let statistics: DiffStatistics | undefined;
        for await (const step of diffTrees(indexed, before.tree, after.tree, { metadata })) {
          expect(step.kind).not.toBe('problem');
          if (step.kind === 'change') ours.push(changeJson(step));
          if (step.kind === 'statistics') statistics = step;
        }
        ours.push(statisticsJson(statistics as DiffStatistics, { source: before.id, target: after.id }));
        expect(ours.length).toBeGreaterThan(5);
        expect(ours.map(withoutSurrogates)).toEqual(theirs);
      }
    }
  },
);

withRestic('a subfolder dumped by its own path is in the tar with itself', async ({ server }) => {
  const { indexed, snapshots, directory } = await repositoryOf('r019-v2', server.path);
  const { tree } = selectSnapshot(snapshots, 'latest', { tags: [['second']] });
  const archive = path.join(directory, 'links.tar');
  const { bytes } = await dumpPath(indexed, tree, 'src/links/', { onProblem: refuse });
  await pipeline(bytes, createWriteStream(archive));
  const { stdout } = await execute('tar', ['--list', '--file', archive]);
  expect(stdout.split('\n').slice(0, 3)).toEqual(['src/links/', 'src/links/dangling', 'src/links/fifo']);
});

function refuse(problem: unknown): never {
  throw new Error(`A whole repository has no problems: ${JSON.stringify(problem)}`);
}

function last<Item>(items: readonly Item[]): Item {
  return items.at(-1) as Item;
}

async function listed(
  indexed: IndexedRepository,
  tree: StoredSnapshot['tree'],
  options: Parameters<typeof listTree>[2] = {},
): Promise<Json[]> {
  const found: Json[] = [];
  for await (const step of listTree(indexed, tree, options)) {
    expect(step.kind).toBe('entry');
    if (step.kind === 'entry') found.push(listedJson(step));
  }
  return found;
}

function pathsOf(nodes: readonly Json[]): string[] {
  return nodes.map((node) => String(node['path']));
}

/** The id of a file's blob and of a folder's tree, somewhere in the last snapshot. */
async function contentOf(
  indexed: IndexedRepository,
  snapshots: readonly StoredSnapshot[],
): Promise<[string, string]> {
  let [file, folder] = ['', ''];
  for await (const step of listTree(indexed, last(snapshots).tree)) {
    if (step.kind !== 'entry') continue;
    file = step.node.content?.[0] ?? file;
    folder = step.node.subtree ?? folder;
  }
  return [file, folder];
}

function jsonLines(output: Buffer): Json[] {
  return output
    .toString()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Json);
}

/** Restic's times have the offset they were written with; ours are in UTC. message_type came after 0.14. */
function normalized(node: Json): Json {
  const { message_type: _, ...rest } = withoutSurrogates(node);
  for (const field of ['mtime', 'atime', 'ctime']) rest[field] = inUtc(String(rest[field]));
  return rest;
}

function withoutType(node: Json): Json {
  const rest = normalized(node);
  return {
    ...rest,
    mode: modeFromGo(Number(rest['mode'])),
    permissions: String(rest['permissions']).slice(-9),
  };
}

function inUtc(time: string): string {
  const nanoseconds = /\.(\d+)/.exec(time)?.[1] ?? '';
  return `${new Date(time.replace(/\.\d+/, '')).toISOString().slice(0, 19)}.${nanoseconds.padEnd(9, '0')}`;
}

/** As a reader sees it that knows no lone surrogates. */
function withoutSurrogates(json: Json): Json {
  return JSON.parse(JSON.stringify(json), (_, value: unknown) =>
    typeof value === 'string' ? value.toWellFormed() : value,
  ) as Json;
}

function bySnapshot(results: readonly Json[]): Json[] {
  return results
    .map((result) => ({ ...result, matches: (result['matches'] as Json[]).map(normalized) }))
    .toSorted((a, b) => (String((a as Json)['snapshot']) < String((b as Json)['snapshot']) ? -1 : 1));
}

/** Without the directory that was restored into, which is nobody's. */
function below(root: string): Record<string, string> {
  const { '': _, ...facts } = treeFacts(root);
  return facts;
}
