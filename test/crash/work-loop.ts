/**
 * Backs up, forgets, prunes and changes the password of a repository until its disk is gone, and writes to stdout what
 * it begins and what it was promised, one JSON line each. Run by power-cut.ts with its orders as JSON in argv[2].
 */
import { writeSync } from 'node:fs';
import { Prng } from '../../bench/corpus/prng.ts';
import { type Disk, systemDisk } from '../../engine/src/backend/local/disk.ts';
import { openLocal } from '../../engine/src/backend/local/local.ts';
import type { Id } from '../../engine/src/kernel/id.ts';
import { changeTree } from '../scenes/changing-tree.ts';
import { perform, type Work } from '../scenes/repository-work.ts';
import { treeFacts } from '../scenes/tree-facts.ts';

export interface Orders {
  readonly repository: string;
  readonly password: string;
  readonly tree: string;
  /** Snapshots that may be forgotten. */
  readonly snapshots: readonly Id[];
  readonly seed: string;
  /** A call that the disk only pretends to do. */
  readonly without?: 'sync' | 'syncDirectory';
}

export interface Begun {
  readonly begins: Work;
  /** Of the tree that is backed up. */
  readonly facts?: Record<string, string>;
}

export type Line = Begun | { readonly done: Work; readonly snapshot?: Id };

function say(line: Line): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

function diskWithout(call: Orders['without']): Disk {
  const nothing = async (): Promise<void> => undefined;
  if (call === 'syncDirectory') return { ...systemDisk, syncDirectory: nothing };
  if (call === undefined) return systemDisk;
  return {
    ...systemDisk,
    createFile: async (path, mode) => ({ ...(await systemDisk.createFile(path, mode)), sync: nothing }),
  };
}

const orders = JSON.parse(process.argv[2] ?? '') as Orders;
const prng = new Prng(orders.seed);
const snapshots = [...orders.snapshots];
let { password } = orders;
const disk = diskWithout(orders.without);
const never = new AbortController().signal;

function nextWork(round: number): Work {
  const chance = prng.fraction();
  if (chance < 0.15 && snapshots.length > 2) {
    return { does: 'forget', snapshots: snapshots.splice(prng.below(snapshots.length), 1) };
  }
  if (chance < 0.3 && snapshots.length > 1) return { does: 'prune', maxUnusedPercent: prng.below(2) * 5 };
  if (chance < 0.4) return { does: 'change password', to: `${orders.seed} ${round}` };
  return { does: 'backup', tree: orders.tree, tag: orders.seed };
}

for (let round = 0; ; round += 1) {
  const work = nextWork(round);
  if (work.does === 'backup') changeTree(orders.tree, prng);
  const facts = work.does === 'backup' ? { facts: treeFacts(orders.tree) } : {};
  say({ begins: work, ...facts });
  const backend = await openLocal({ path: orders.repository, disk });
  const done = await perform(backend, password, work, never);
  if (done.snapshot !== undefined) snapshots.push(done.snapshot);
  if (work.does === 'change password') password = work.to;
  say({ done: work, ...done });
}
