import { mkdir, readdir, rename, rm, statfs } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure, isFailure } from '../engine/src/kernel/failure.ts';
import { type Measurement, measure, measureAll, run, type Traffic } from './measurement.ts';
import type { Place } from './places.ts';
import type { Tool } from './tools.ts';
import { type TreeSize, treeSize } from './tree-size.ts';

const MEMORY_DISK = '/dev/shm';
const CHANGED_FRACTION = 0.01;

/** What can be asked for by name, in the order in which it is done. */
export const operationNames = [
  'first',
  'unchanged',
  'changed',
  'restore',
  'restore-disk',
  'check',
  'prune',
] as const;
export type OperationName = (typeof operationNames)[number];

/** One figure: who did what, and the size of the repository afterwards where that is of interest. */
export interface Sample extends Measurement {
  readonly work: string;
  readonly label: string;
  readonly repositoryBytes?: number;
  /** Where the repository is on a server. */
  readonly traffic?: Traffic;
}

/** A program that could not do the work, and what it said. */
export interface Defeat {
  readonly work: string;
  readonly label: string;
  readonly said: string;
}

export interface Round {
  readonly tools: readonly Tool[];
  readonly place: Place;
  /** The others are left out; a first backup is made in any case. */
  readonly operations: ReadonlySet<OperationName>;
  readonly corpus: string;
  /** An empty directory of this round. */
  readonly scratch: string;
  /** From 0; other files change in each. */
  readonly number: number;
  /** Ends the program that is running, and the round. */
  readonly signal: AbortSignal;
}

interface Contender {
  readonly tool: Tool;
  readonly repository: string;
}

/**
 * All work once, each piece by one tool after the other on the same state of the corpus, so that a slow minute of the
 * machine hits all of them; who begins alternates from round to round. Who fails at one piece is asked for the next
 * all the same: what it can do is worth knowing.
 */
export async function* playRound(round: Round): AsyncGenerator<Sample | Defeat> {
  const { operations } = round;
  const contenders: Contender[] = [];
  yield* prepare(round, contenders);
  const first = compete(round, contenders, 'first backup', backUp(round), true);
  for await (const taken of first) if (operations.has('first') || 'said' in taken) yield taken;
  if (operations.has('unchanged')) yield* compete(round, contenders, 'unchanged backup', backUp(round));
  if (operations.has('changed')) {
    await runCorpus(['change', round.corpus, String(CHANGED_FRACTION), String(round.number)], round.signal);
    yield* compete(round, contenders, '1 % changed', backUp(round));
  }
  const expected = await treeSize(round.corpus);
  if (operations.has('restore') && (await hasRoom(MEMORY_DISK, expected))) {
    const target = path.join(MEMORY_DISK, `holdfast-bench-${process.pid}`);
    yield* restoreAll(round, contenders, 'restore to memory', target, expected);
  }
  if (operations.has('restore-disk')) {
    const target = path.join(round.scratch, 'restored');
    yield* restoreAll(round, contenders, 'restore to disk', target, expected);
  }
  if (operations.has('check')) {
    yield* compete(round, contenders, 'check --read-data', ({ tool, repository }) =>
      measure(tool.check(repository), round.scratch, round.signal),
    );
  }
  if (operations.has('prune')) yield* pruneHalf(round, contenders);
}

/** Makes the repositories. Who cannot even do that is left out of this round. */
async function* prepare(round: Round, contenders: Contender[]): AsyncGenerator<Defeat> {
  for (const [index, tool] of round.tools.entries()) {
    const repository = round.place.addressOf(`repository-${index}`);
    const defeat = await defeatIn(round, 'init', tool, () => run(tool.init(repository), round.signal));
    if (defeat === undefined) contenders.push({ tool, repository });
    else yield defeat;
  }
  if (round.number % 2 === 1) contenders.reverse();
}

/** Does something; answers why the program could not, if it could not. */
async function defeatIn(
  round: Round,
  work: string,
  tool: Tool,
  act: () => Promise<unknown>,
): Promise<Defeat | undefined> {
  try {
    await act();
    return undefined;
  } catch (error) {
    if (!isFailure(error, 'internal')) throw error;
    round.signal.throwIfAborted();
    return { work, label: tool.label, said: error.message };
  }
}

async function* compete(
  round: Round,
  contenders: readonly Contender[],
  work: string,
  act: (contender: Contender) => Promise<Measurement>,
  withSize = false,
): AsyncGenerator<Sample | Defeat> {
  for (const contender of contenders) {
    const { tool, repository } = contender;
    await settle();
    const before = await round.place.traffic?.();
    let measurement: Measurement | undefined;
    const defeat = await defeatIn(round, work, tool, async () => {
      measurement = await act(contender);
    });
    if (defeat !== undefined) yield defeat;
    if (measurement === undefined) continue;
    const after = await round.place.traffic?.();
    yield {
      ...measurement,
      ...(withSize ? { repositoryBytes: await round.place.sizeOf(repository) } : {}),
      ...(before === undefined || after === undefined ? {} : { traffic: difference(before, after) }),
      work,
      label: tool.label,
    };
  }
}

function difference(before: Traffic, after: Traffic): Traffic {
  const requests = Object.entries(after.requests)
    .map(([name, count]) => [name, count - (before.requests[name] ?? 0)] as const)
    .filter(([, count]) => count > 0);
  return { requests: Object.fromEntries(requests), bytes: after.bytes - before.bytes };
}

function backUp(round: Round): (contender: Contender) => Promise<Measurement> {
  return ({ tool, repository }) =>
    measure(tool.backup(repository, round.corpus), round.scratch, round.signal);
}

/** Restores, and copies the same tree with `cp -a`: as fast as this file system lets anybody write it. */
async function* restoreAll(
  round: Round,
  contenders: readonly Contender[],
  work: string,
  target: string,
  expected: TreeSize,
): AsyncGenerator<Sample | Defeat> {
  const intoTarget = async (act: () => Promise<Measurement>): Promise<Measurement> => {
    await mkdir(target);
    try {
      const measurement = await act();
      const restored = await treeSize(target);
      if (restored.files !== expected.files || restored.bytes !== expected.bytes) {
        throw new Failure(
          'internal',
          `${restored.files} files, ${restored.bytes} bytes came back; ${expected.files}, ${expected.bytes} went in.`,
        );
      }
      return measurement;
    } finally {
      await rm(target, { recursive: true });
    }
  };
  yield* compete(round, contenders, work, ({ tool, repository }) =>
    intoTarget(() => measure(tool.restore(repository, target), round.scratch, round.signal)),
  );
  await settle();
  const copy = { program: 'cp', args: ['-a', round.corpus, target] };
  yield { ...(await intoTarget(() => measure(copy, round.scratch, round.signal))), work, label: 'cp -a' };
}

/** Half of what lies in the corpus goes, a last snapshot is taken of the rest, and all others are forgotten. */
async function* pruneHalf(round: Round, contenders: readonly Contender[]): AsyncGenerator<Sample | Defeat> {
  const aside = path.join(round.scratch, 'aside');
  await mkdir(aside);
  const names = (await readdir(round.corpus)).sort();
  const half = names.filter((_, index) => index % 2 === 0);
  for (const name of half) await rename(path.join(round.corpus, name), path.join(aside, name));
  try {
    for await (const taken of compete(round, contenders, 'backup of half', backUp(round))) {
      if ('said' in taken) yield taken;
    }
    yield* compete(
      round,
      contenders,
      'prune of half',
      ({ tool, repository }) => measureAll(tool.prune(repository), round.scratch, round.signal),
      true,
    );
  } finally {
    for (const name of half) await rename(path.join(aside, name), path.join(round.corpus, name));
  }
}

/** Writes a corpus or changes one, in a process of its own: it takes minutes, and can be ended there at any moment. */
export async function runCorpus(args: readonly string[], signal: AbortSignal): Promise<void> {
  const script = fileURLToPath(new URL('corpus.ts', import.meta.url));
  await run({ program: process.execPath, args: ['--conditions=source', script, ...args] }, signal);
}

/** What the one before left to be written must not be the next one's burden. */
async function settle(): Promise<void> {
  await run({ program: 'sync', args: [] });
}

async function hasRoom(directory: string, size: TreeSize): Promise<boolean> {
  try {
    const { bavail, bsize } = await statfs(directory);
    return bavail * bsize > 1.5 * size.bytes + 4096 * size.files;
  } catch {
    return false;
  }
}
