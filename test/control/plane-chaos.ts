import { readFileSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Run } from '../../app/src/catalog/records.ts';
import { readEndedRuns, readUnfinishedRuns } from '../../app/src/catalog/runs.ts';
import { readMarks } from '../../app/src/catalog/schedule-marks.ts';
import { Prng } from '../../bench/corpus/prng.ts';
import { PolicyScene, type UpProcess, until } from './policy-scene.ts';

export interface ChaosOptions {
  readonly rounds: number;
  readonly seed: string;
  readonly say?: (line: string) => void;
}

export interface ChaosResult {
  readonly kills: { readonly controlPlane: number; readonly database: number };
  readonly runs: number;
  readonly snapshots: number;
  readonly hooks: number;
  /** What did not hold, in sentences. */
  readonly wrong: readonly string[];
}

/** Of `invoices` the newest three are kept, of `media` everything. */
const LAST = 3;
const FILES = 5;

/**
 * Kills the control plane, or the database that it remembers with, with -9 at random moments while a policy is carried
 * out with second-scale intervals; then lets what was begun come to its end, and counts.
 */
export async function killPlanes({ rounds, seed, say }: ChaosOptions): Promise<ChaosResult> {
  await using scene = await PolicyScene.create();
  const prng = new Prng(`${seed} control plane`);
  const hooks = scene.path('hooks');
  await writeFile(hooks, '');
  const policy = await busyPolicy(scene, hooks);
  await scene.writePolicy(policy);
  const kills = { controlPlane: 0, database: 0 };
  let up = scene.up();
  for (let round = 0; round < rounds; round += 1) {
    // At the first some things are only made.
    await up.said(round === 0 ? 'began' : 'ready');
    await moreEvents(up, 1 + prng.below(15));
    if (prng.fraction() < 0.4) {
      if (await scene.killServer()) kills.database += 1;
    }
    if (prng.fraction() < 0.7) {
      await up.kill();
      kills.controlPlane += 1;
      up = scene.up();
    } else {
      // That it goes on is what the next round begins with.
      await moreEvents(up, 1);
    }
    say?.(
      `  round ${round + 1} of ${rounds}: ${kills.controlPlane} control planes and ${kills.database} databases killed`,
    );
  }
  await up.said('ready');
  await scene.writePolicy(calm(policy));
  await until('the calm policy is gone by', async () => up.events.some(({ event }) => event === 'policy'));
  const { ended, marks } = await until('all that was queued has ended', async () => await historyOf(scene));
  const { exitCode } = await up.stop();
  const left = [...(await scene.processes()).values()];
  const lines = readFileSync(hooks, 'utf8').split('\n').slice(0, -1);
  const recorded = ended.flatMap(({ steps }) => steps.flatMap(({ result }) => result?.snapshots ?? []));
  return {
    kills,
    runs: ended.length,
    snapshots: recorded.length,
    hooks: lines.length,
    wrong: [
      ...(exitCode === 0 ? [] : [`the last control plane ended with ${exitCode}`]),
      ...left.map((line) => `still running: ${line}`),
      ...unanswered(marks, ended),
      ...repeated(lines),
      ...(await forgotten(scene, ended)),
      ...(await damaged(scene, 'main')),
      ...(await damaged(scene, 'offsite')),
      ...(await missingFiles(scene)),
    ],
  };
}

async function busyPolicy(scene: PolicyScene, hooks: string) {
  const often = { snapshot: { every: '1s' }, retry: { limit: 10, delay: '1s' } };
  return {
    stack: 'chaos',
    repositories: {
      main: await scene.repository('main', { retention: { every: '3s' }, check: { every: '4s' } }),
      offsite: await scene.repository('offsite', { place: 'elsewhere', retention: { every: '5s' } }),
    },
    sources: {
      media: {
        ...often,
        files: await scene.files('media', FILES),
        keep: { for: '1d' },
        hooks: ['before', 'after'].map((when) => ({ [when]: `echo "$HOLDFAST_RUN ${when}" >> ${hooks}` })),
      },
      invoices: { ...often, files: await scene.files('invoices', FILES), keep: { last: LAST } },
    },
    copies: [{ from: 'main', to: 'offsite' }],
    limits: { perRepository: 3 },
  };
}

/** Nothing new becomes due; what follows from what was done still comes. */
function calm<Policy extends { repositories: object; sources: object }>(policy: Policy): Policy {
  const still = (parts: object, change: object) =>
    Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, { ...part, ...change }]));
  return {
    ...policy,
    repositories: still(policy.repositories, { retention: 'never', check: 'never' }),
    sources: still(policy.sources, { snapshot: 'never' }),
  };
}

async function moreEvents(up: UpProcess, count: number): Promise<void> {
  const before = up.events.length;
  await until('something happens', async () => !up.isRunning || up.events.length >= before + count);
  if (!up.isRunning) throw new Error(`the control plane ended by itself:\n${up.transcript}`);
}

/** Undefined while something is on its way still, or follows from what has ended. */
async function historyOf(scene: PolicyScene) {
  await using state = await scene.open();
  const { database } = state;
  if ((await readUnfinishedRuns(database)).length > 0) return undefined;
  const ended = await readEndedRuns(database);
  const lastEnd = (kind: Run['kind']) =>
    Math.max(0, ...ended.filter((run) => run.kind === kind).map(({ endedAt = 0 }) => endedAt));
  if (lastEnd('copy') < lastEnd('snapshot')) return undefined;
  return { ended, marks: await readMarks(database) };
}

/** Each moment of a schedule that was dealt with has a run that was for it, or that was at work then. */
function unanswered(marks: ReadonlyMap<string, number>, ended: readonly Run[]): string[] {
  return [...marks].flatMap(([name, handled]) => {
    const runs = ended.filter(({ kind, about }) => `${kind} ${about}` === name);
    // All else waits for its first moment.
    if (runs.length === 0) return /^(?:snapshot|copy|survey) /.test(name) ? [`${name} never ran`] : [];
    return runs.some(({ dueAt, endedAt = 0 }) => dueAt >= handled || endedAt >= handled)
      ? []
      : [`${name} was due at ${new Date(handled).toISOString()}, and no run answers for it`];
  });
}

function repeated(lines: readonly string[]): string[] {
  return lines.filter((line, at) => lines.indexOf(line) !== at).map((line) => `a hook ran twice: ${line}`);
}

/** What a run said that it has saved must be there, or three newer ones of a source of which three are kept. */
async function forgotten(scene: PolicyScene, ended: readonly Run[]): Promise<string[]> {
  const wrong: string[] = [];
  for (const source of ['media', 'invoices']) {
    const there = await scene.snapshots('main', source);
    const ids = new Set<string>(there.map(({ id }) => id));
    const mayGoBefore = source === 'media' ? 0 : Date.parse(there.at(-LAST)?.time ?? '');
    const saved = ended.filter(({ kind, about }) => kind === 'snapshot' && about === source);
    for (const { id: run, startedAt = 0, result } of saved) {
      for (const snapshot of result?.snapshots ?? []) {
        if (!ids.has(snapshot) && !(startedAt < mayGoBefore)) {
          wrong.push(`snapshot ${snapshot} of ${source} (run ${run}) is not there any more`);
        }
      }
    }
    const carried = new Set((await scene.snapshots('offsite', source)).map(({ original }) => original));
    for (const { id, original = id } of there) {
      if (!carried.has(original)) wrong.push(`snapshot ${id} of ${source} was never copied`);
    }
  }
  return wrong;
}

async function damaged(scene: PolicyScene, repository: string): Promise<string[]> {
  const { exitCode, stdout, stderr } = await scene.run([
    ...['repo', 'check', '--read-data', '--no-cache'],
    ...scene.access(repository),
  ]);
  return exitCode === 0 ? [] : [`the check of ${repository} ended with ${exitCode}:\n${stdout}${stderr}`];
}

async function missingFiles(scene: PolicyScene): Promise<string[]> {
  const target = scene.path('back');
  const words = ['files', 'restore', 'latest', '--tag', 'source:media', '--target', target];
  const { exitCode, stderr } = await scene.run([...words, ...scene.access('offsite')]);
  if (exitCode !== 0) return [`the restore ended with ${exitCode}:\n${stderr}`];
  const back = await readdir(path.join(target, scene.path('media')));
  return back.length === FILES ? [] : [`${back.length} of ${FILES} files came back`];
}
