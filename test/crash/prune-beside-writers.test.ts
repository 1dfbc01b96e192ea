import { randomInt } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { Prng } from '../../bench/corpus/prng.ts';
import { systemClock as clock } from '../../engine/src/kernel/clock.ts';
import type { Id } from '../../engine/src/kernel/id.ts';
import { checkRepository } from '../../engine/src/repository/check/check.ts';
import { removeLocks } from '../../engine/src/repository/lock-files.ts';
import { BackupScene, PASSWORD } from '../scenes/backup-scene.ts';
import { changeTree } from '../scenes/changing-tree.ts';
import type { Work } from '../scenes/repository-work.ts';
import { treeFacts } from '../scenes/tree-facts.ts';
import { restic } from '../servers/restic.ts';
import { testWith } from '../servers/test-with.ts';
import type { Errand } from '../soak/errand.ts';
import { type Ending, runErrand } from '../soak/errand-process.ts';

const withRestic = testWith(restic);
const SECONDS = Number(process.env['HOLDFAST_SECONDS'] ?? 20);
const GRACE_MS = 1_500;
const PATIENCE_MS = 60_000;

/** A tree, what its newest snapshot holds, and all snapshots of it that were promised and not forgotten since. */
interface Writer {
  readonly by: Errand['by'];
  readonly tree: string;
  readonly snapshots: Id[];
  facts: Record<string, string>;
}

withRestic(
  'two writers, restic and a prune that is killed now and then, all at once, leave every snapshot whole',
  async ({ server }) => {
    using scene = new BackupScene();
    const repository = await scene.create();
    const place = { repository: scene.repositoryPath, password: PASSWORD, restic: server.path };
    const prng = new Prng(`${Date.now()}`);
    const writers = (['holdfast', 'holdfast', 'restic'] as const).map((by, at): Writer => {
      const tree = join(scene.base, `source-${at}`, 'tree');
      mkdirSync(tree, { recursive: true });
      return { by, tree, snapshots: [], facts: {} };
    });
    const endsAt = Date.now() + SECONDS * 1000;
    const unexpected: string[] = [];
    let pruned = 0;
    // On a slow machine a moment for the prune takes longer to come.
    const isOver = () => Date.now() >= endsAt && (pruned >= 3 || Date.now() >= endsAt + PATIENCE_MS);
    const run = async (errand: Errand, allowed: (ending: Ending) => boolean): Promise<Ending> => {
      const ending = await runErrand(errand, place);
      if (ending.how !== 'done' && !allowed(ending)) unexpected.push(JSON.stringify({ errand, ending }));
      return ending;
    };
    // restic does not wait for the moment in which packs are marked; we do.
    const isLocked = (ending: Ending) => ending.how === 'failed' && ending.why === 'locked';

    const write = async (writer: Writer) => {
      for (let round = 0; !isOver(); round += 1) {
        changeTree(writer.tree, prng);
        const facts = treeFacts(writer.tree);
        const work: Work = { does: 'backup', tree: writer.tree, tag: `${round}` };
        const ending = await run({ by: writer.by, work }, (end) => writer.by === 'restic' && isLocked(end));
        if (ending.how !== 'done' || ending.done.snapshot === undefined) continue;
        writer.snapshots.push(ending.done.snapshot);
        writer.facts = facts;
      }
    };
    const forget = async () => {
      const recent = new Set(writers.flatMap(({ snapshots }) => snapshots.slice(-2)));
      // restic tells only how an id begins.
      const isRecent = (id: Id) => recent.has(id) || recent.has(id.slice(0, 8) as Id);
      const all = await Array.fromAsync(repository.backend.list('snapshot'), ({ name }) => name as Id);
      const ours = new Set(writers.flatMap(({ snapshots }) => snapshots.map((id) => id.slice(0, 8))));
      const old = all.filter((id) => ours.has(id.slice(0, 8)) && !isRecent(id));
      await run({ by: 'holdfast', work: { does: 'forget', snapshots: old } }, isLocked);
    };
    const prune = async () => {
      while (!isOver()) {
        await forget();
        const work: Work = { does: 'prune', maxUnusedPercent: 0, grace: GRACE_MS };
        const killed = prng.fraction() < 0.3;
        const mishap = { kind: 'kill -9', after: randomInt(1_500) } as const;
        const errand: Errand = { by: 'holdfast', work, ...(killed ? { mishap } : {}) };
        const ending = await run(errand, ({ how }) => killed && how === 'killed');
        const packs = ending.how === 'done' ? ending.done.packs : undefined;
        if (packs !== undefined) pruned += 1;
        await removeLocks(repository, { all: false, clock });
      }
    };
    await Promise.all([...writers.map(write), prune()]);
    expect(unexpected).toEqual([]);

    const options = { clock, random: Math.random, readData: 'all', threads: 1 } as const;
    const { findings } = await checkRepository(repository, options);
    expect(findings.filter(({ severity }) => severity !== 'note')).toEqual([]);
    expect(await scene.restic(server, 'check', '--read-data')).toContain('no errors were found');
    for (const { snapshots, facts } of writers) {
      const newest = snapshots.at(-1);
      if (newest !== undefined) expect(treeFacts(await scene.restored(server, newest))).toEqual(facts);
    }
    expect(writers.filter(({ snapshots }) => snapshots.length > 0).length).toBeGreaterThan(1);
  },
);
