import { mkdir, rm } from 'node:fs/promises';
import { run } from '../measurement.ts';
import { treeSize } from '../tree-size.ts';
import { type Goal, renderLaps } from './lap-table.ts';
import { PgBackRest } from './pg-backrest.ts';
import { client, inTurn, type Lap, measured, type Operation, place, type Stage, settle } from './stage.ts';

/** The first base, into an empty repository each time. */
export const full: Operation = {
  title: 'Full base',
  async play(stage) {
    const { holdfast, runs } = stage;
    const laps: Lap[] = [];
    await warmUp(stage);
    for (let round = 0; round < runs; round++) {
      for (const lap of inTurn([fullOfOurs, fullOfBaseBackup, fullOfPgBackRest], round)) {
        const taken = await lap(stage);
        if (taken === undefined) continue;
        tellLap(stage, taken);
        laps.push(taken);
      }
    }
    return renderLaps(laps, holdfast.label, FULL_GOALS);
  },
};

/** A base of what is in the repository already, beside how fast the server sends. */
export const unchanged: Operation = {
  title: 'Second base of an unchanged database',
  async play(stage) {
    const { holdfast, programs, runs } = stage;
    const repository = place(stage, 'repository');
    await startRepository(stage, repository);
    await run(holdfast.backUp(repository), stage.signal);
    const { bytes: before } = await treeSize(repository);
    const command = [programs.baseBackup, '-Ft', '-X', 'fetch', '-c', 'fast', '-D', '-'];
    const laps: Lap[] = [];
    for (let round = 0; round < runs; round++) {
      const ours = async () => {
        const { bytes } = await treeSize(repository);
        const measurement = await measured(stage, holdfast.backUp(repository));
        return {
          label: holdfast.label,
          ...measurement,
          storedBytes: (await treeSize(repository)).bytes - bytes,
        };
      };
      const server = async () => ({
        label: 'pg_basebackup -Ft > /dev/null',
        ...(await measured(stage, client(stage, 'sh', '-c', 'exec "$@" > /dev/null', 'sh', ...command))),
      });
      for (const lap of inTurn([ours, server], round)) {
        const taken = { work: UNCHANGED, ...(await lap()) };
        tellLap(stage, taken);
        laps.push(taken);
      }
    }
    await rm(repository, { recursive: true });
    const grown = Math.max(...laps.map(({ storedBytes = 0 }) => storedBytes));
    const share = ((100 * grown) / before).toFixed(2);
    const table = renderLaps(laps, holdfast.label, [{ work: UNCHANGED, peer: 'pg_basebackup', atMost: 1.1 }]);
    return `${table}\n\nEach adds ${share} % at most to a repository of ${(before / 1e6).toFixed(0)} MB (goal ≤ 0.5 %).`;
  },
};

const FULL = 'full base';
const UNCHANGED = 'unchanged base';
const FULL_GOALS: readonly Goal[] = [
  { work: FULL, peer: 'pg_basebackup', atMost: 1 },
  { work: FULL, peer: 'pgBackRest', atMost: 0.8 },
];

async function fullOfOurs(stage: Stage): Promise<Lap> {
  const repository = place(stage, 'repository');
  await startRepository(stage, repository);
  const measurement = await measured(stage, stage.holdfast.backUp(repository));
  return { work: FULL, label: stage.holdfast.label, ...measurement, storedBytes: await taken(repository) };
}

async function fullOfBaseBackup(stage: Stage): Promise<Lap> {
  const directory = place(stage, 'base-backup');
  const format = ['-Ft', '-Z', 'client-zstd:3', '-X', 'fetch'];
  const command = client(stage, stage.programs.baseBackup, ...format, '-c', 'fast', '-D', directory);
  const measurement = await measured(stage, command);
  return {
    work: FULL,
    label: `pg_basebackup -Ft -Z client-zstd:3 (${stage.programs.major})`,
    ...measurement,
    storedBytes: await taken(directory),
  };
}

async function fullOfPgBackRest(stage: Stage): Promise<Lap | undefined> {
  const home = place(stage, 'pgbackrest');
  const peer = await PgBackRest.prepare(stage.programs, stage.cluster, home, stage.account);
  if (peer === undefined) return undefined;
  const measurement = await measured(stage, peer.backUp());
  return { work: FULL, label: peer.label, ...measurement, storedBytes: await taken(home) };
}

export async function startRepository({ holdfast, signal }: Stage, repository: string): Promise<void> {
  await mkdir(repository);
  await run(holdfast.init(repository), signal);
}

/** All of the database once, so that nobody has to fetch it from the disk for those who come later. */
async function warmUp(stage: Stage): Promise<void> {
  await settle(stage);
  await run(
    { program: 'sh', args: ['-c', `cat ${stage.cluster.dataDirectory}/base/*/* > /dev/null`] },
    stage.signal,
  );
}

/** Its size; removes it. */
async function taken(directory: string): Promise<number> {
  const { bytes } = await treeSize(directory);
  await rm(directory, { recursive: true });
  return bytes;
}

export function tellLap({ tell }: Stage, { work, label, wallSeconds }: Lap): void {
  tell(`${work}, ${label}: ${wallSeconds.toFixed(2)} s`);
}
