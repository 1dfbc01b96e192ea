import { rm } from 'node:fs/promises';
import path from 'node:path';
import { embeddedPrograms } from '../../app/src/sources/postgres/restore/programs.ts';
import { run } from '../measurement.ts';
import { treeSize } from '../tree-size.ts';
import { startRepository, tellLap } from './bases.ts';
import { Cluster } from './cluster.ts';
import { Holdfast } from './holdfast.ts';
import { renderLaps } from './lap-table.ts';
import { client, type Lap, measured, type Operation, place, type Stage } from './stage.ts';

const CHANGED = 'base after 1 % of the pages changed';

/** From 17 on a server sends only what has changed. Ours against ours: what the whole of it takes. */
export const incremental: Operation = {
  title: 'Incremental base',
  async play(stage) {
    if (!(await stage.holdfast.knows(['postgres', 'backup'], /--full\b/)))
      return 'Left out: this holdfast takes no incremental bases.';
    const programs = await summarizingPrograms(stage);
    if (programs === undefined) return 'Left out: there is no PostgreSQL 17 or newer here.';
    const home = place(stage, 'incremental');
    const options = {
      programs,
      account: stage.account,
      dataDirectory: home,
      socketDirectory: place(stage, 'incremental-socket'),
      settings: { summarize_wal: 'on' },
    };
    await Cluster.create(options, stage.signal);
    await using cluster = await Cluster.start(options, stage.signal);
    const holdfast = await Holdfast.find(stage.scratch, cluster.environment);
    return await race({ ...stage, cluster, holdfast });
  },
};

async function race(stage: Stage): Promise<string> {
  const { cluster, holdfast, programs, runs, signal, size } = stage;
  // Room for a changed row on its own page, so that as many pages change as rows.
  const words = ['-i', '-q', '-F', '90', '-s', String(size.scale)];
  await run(client(stage, programs.pgbench, ...words), signal);
  await cluster.query('VACUUM (FREEZE, ANALYZE)');
  const laps: Lap[] = [];
  for (let round = 0; round < runs; round++) {
    const repository = place(stage, 'repository');
    await startRepository(stage, repository);
    for (const work of ['full', 'incremental']) {
      if (work === 'incremental') await changeOnePercent(cluster, round);
      const { bytes } = await treeSize(repository);
      const command = holdfast.backUp(repository, ...(work === 'full' ? ['--full'] : []));
      const lap = {
        work: CHANGED,
        label: work === 'full' ? 'the full base before' : holdfast.label,
        ...(await measured(stage, command)),
        storedBytes: (await treeSize(repository)).bytes - bytes,
      };
      tellLap(stage, lap);
      laps.push(lap);
    }
    await rm(repository, { recursive: true });
  }
  const version = await cluster.value('SHOW server_version');
  const goals = [{ work: CHANGED, peer: 'the full', atMost: 0.2 }];
  return `PostgreSQL ${version}, summarize_wal = on\n\n${renderLaps(laps, holdfast.label, goals)}`;
}

/** One row of each hundredth page: about 55 rows lie on one. */
async function changeOnePercent(cluster: Cluster, round: number): Promise<void> {
  await cluster.query('UPDATE pgbench_accounts SET abalance = abalance + 1 WHERE aid % 5500 = $1', [round]);
}

async function summarizingPrograms({ programs }: Stage) {
  if (programs.major >= 17) return programs;
  for (const major of [18, 17]) {
    const found = await embeddedPrograms(major);
    if (found !== undefined)
      return { server: path.join(found.bin, 'postgres'), initdb: path.join(found.bin, 'initdb') };
  }
  return undefined;
}
