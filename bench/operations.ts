import { mkdir, readdir, rename, rm, statfs } from 'node:fs/promises';
import path from 'node:path';
import { Failure } from '../engine/src/kernel/failure.ts';
import { changeCorpus } from './corpus/change.ts';
import { type Measurement, measure, run } from './measurement.ts';
import type { Tool } from './tools.ts';
import { type TreeSize, treeSize } from './tree-size.ts';

const MEMORY_DISK = '/dev/shm';
const CHANGED_FRACTION = 0.01;

/** One figure: who did what, and the size of the repository afterwards where that is of interest. */
export interface Sample extends Measurement {
  readonly work: string;
  readonly label: string;
  readonly repositoryBytes?: number;
}

export interface Round {
  readonly tools: readonly Tool[];
  readonly corpus: string;
  /** An empty directory of this round. */
  readonly scratch: string;
  /** From 0; other files change in each. */
  readonly number: number;
}

interface Contender {
  readonly tool: Tool;
  readonly repository: string;
}

/**
 * All work once, each piece by one tool after the other on the same state of the corpus, so that a slow minute of the
 * machine hits all of them; who begins alternates from round to round.
 */
export async function* playRound(round: Round): AsyncGenerator<Sample> {
  const contenders = await prepare(round);
  yield* compete(contenders, 'first backup', backUp(round), true);
  yield* compete(contenders, 'unchanged backup', backUp(round));
  changeCorpus(round.corpus, CHANGED_FRACTION, round.number);
  yield* compete(contenders, '1 % changed', backUp(round));
  const expected = await treeSize(round.corpus);
  if (await hasRoom(MEMORY_DISK, expected)) {
    yield* restoreAll(
      round,
      contenders,
      'restore to memory',
      path.join(MEMORY_DISK, `holdfast-bench-${process.pid}`),
      expected,
    );
  }
  yield* restoreAll(round, contenders, 'restore to disk', path.join(round.scratch, 'restored'), expected);
  yield* compete(contenders, 'check --read-data', ({ tool, repository }) =>
    measure(tool.check(repository), round.scratch),
  );
  yield* pruneHalf(round, contenders);
}

async function prepare(round: Round): Promise<Contender[]> {
  const contenders: Contender[] = [];
  for (const [index, tool] of round.tools.entries()) {
    const repository = path.join(round.scratch, `repository-${index}`);
    await run(tool.init(repository));
    contenders.push({ tool, repository });
  }
  return round.number % 2 === 0 ? contenders : contenders.reverse();
}

async function* compete(
  contenders: readonly Contender[],
  work: string,
  act: (contender: Contender) => Promise<Measurement>,
  withSize = false,
): AsyncGenerator<Sample> {
  for (const contender of contenders) {
    await settle();
    const measurement = await act(contender);
    const size = withSize ? { repositoryBytes: (await treeSize(contender.repository)).bytes } : {};
    yield { ...measurement, ...size, work, label: contender.tool.label };
  }
}

function backUp(round: Round): (contender: Contender) => Promise<Measurement> {
  return ({ tool, repository }) => measure(tool.backup(repository, round.corpus), round.scratch);
}

/** Restores, and copies the same tree with `cp -a`: as fast as this file system lets anybody write it. */
async function* restoreAll(
  round: Round,
  contenders: readonly Contender[],
  work: string,
  target: string,
  expected: TreeSize,
): AsyncGenerator<Sample> {
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
  yield* compete(contenders, work, ({ tool, repository }) =>
    intoTarget(() => measure(tool.restore(repository, target), round.scratch)),
  );
  await settle();
  const copy = { program: 'cp', args: ['-a', round.corpus, target] };
  yield { ...(await intoTarget(() => measure(copy, round.scratch))), work, label: 'cp -a' };
}

/** Half of what lies in the corpus goes, a last snapshot is taken of the rest, and all others are forgotten. */
async function* pruneHalf(round: Round, contenders: readonly Contender[]): AsyncGenerator<Sample> {
  const aside = path.join(round.scratch, 'aside');
  await mkdir(aside);
  const names = (await readdir(round.corpus)).sort();
  const half = names.filter((_, index) => index % 2 === 0);
  for (const name of half) await rename(path.join(round.corpus, name), path.join(aside, name));
  try {
    for (const { tool, repository } of contenders) await run(tool.backup(repository, round.corpus));
    yield* compete(
      contenders,
      'prune of half',
      ({ tool, repository }) => measure(tool.prune(repository), round.scratch),
      true,
    );
  } finally {
    for (const name of half) await rename(path.join(aside, name), path.join(round.corpus, name));
  }
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
