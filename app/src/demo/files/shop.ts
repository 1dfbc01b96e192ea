import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Posix } from '@holdfast/engine';
import { makeOddities } from './oddities.ts';
import { copyTree } from './tree-copy.ts';

export interface BuiltShop {
  /** What this file system does not have. */
  readonly missing: readonly string[];
}

export interface ShopPlan {
  readonly directory: string;
  /** Where the code of its releases is copied from; without it the shop has more orders. */
  readonly dependencies: string | undefined;
  readonly posix: Posix;
  readonly signal: AbortSignal;
}

const FEWEST_FILES = 10_000;
/** Of a release: enough to measure, and done within seconds. */
const LIMITS = { largestFile: 8 * 1024 * 1024, bytes: 150 * 1024 * 1024 };
const MOST_RELEASES = 20;
const ORDERS = 800;

/** A tree as a small company has it: releases of its application side by side, its orders, and some oddities. */
export async function buildShop({ directory, dependencies, posix, signal }: ShopPlan): Promise<BuiltShop> {
  let files = 0;
  for (let release = 1; release <= MOST_RELEASES && dependencies !== undefined; release += 1) {
    const place = join(directory, 'releases', release.toString());
    const copied = await copyTree(dependencies, place, LIMITS, signal);
    if (release > 1) upgrade(place);
    files += copied;
    if (copied === 0 || (release > 1 && files >= FEWEST_FILES)) break;
  }
  writeOrders(join(directory, 'orders'), 1, Math.max(ORDERS, FEWEST_FILES - files));
  return { missing: makeOddities(join(directory, 'odd'), posix) };
}

/** Whoever deploys changes a little and copies the rest. */
const UPGRADED_SHARE = 25;

function upgrade(release: string): void {
  for (const [number, path] of filesBelow(release).entries()) {
    if (number % UPGRADED_SHARE === 0) chmodAndAppend(path, '\n');
  }
}

/** What a day's work did to the tree, in files. */
export interface DayOfWork {
  readonly edited: number;
  readonly added: number;
  readonly deleted: number;
  readonly moved: number;
}

const EDITED = 220;
const DELETED = 90;
const MOVED = 60;
const ADDED = 130;

/** Edits, deletes, moves and adds files all over the tree; the same ones whenever the tree is the same. */
export function workADay(directory: string): DayOfWork {
  const files = filesBelow(join(directory, 'releases')).concat(filesBelow(join(directory, 'orders')));
  const step = Math.max(1, Math.floor(files.length / (EDITED + DELETED + MOVED)));
  const chosen = files.filter((_, index) => index % step === 0);
  const edited = chosen.slice(0, EDITED);
  const deleted = chosen.slice(EDITED, EDITED + DELETED);
  const moved = chosen.slice(EDITED + DELETED, EDITED + DELETED + MOVED);
  for (const path of edited) chmodAndAppend(path, '\nedited\n');
  for (const path of deleted) rmSync(path);
  const archive = join(directory, 'archive');
  mkdirSync(archive);
  for (const [number, path] of moved.entries()) renameSync(path, join(archive, number.toString()));
  writeOrders(join(directory, 'orders'), 100_001, ADDED);
  return { edited: edited.length, added: ADDED, deleted: deleted.length, moved: moved.length };
}

function chmodAndAppend(path: string, text: string): void {
  chmodSync(path, 0o644);
  appendFileSync(path, text);
}

const ORDERS_A_DIRECTORY = 500;

function writeOrders(directory: string, first: number, count: number): void {
  for (let order = first; order < first + count; order += 1) {
    const day = join(directory, Math.floor(order / ORDERS_A_DIRECTORY).toString());
    mkdirSync(day, { recursive: true });
    const lines = Array.from({ length: (order % 7) + 1 }, (_, line) => ({
      article: (order * 37 + line * 101) % 9973,
      pieces: (order % 5) + 1,
    }));
    writeFileSync(join(day, `order-${order}.json`), `${JSON.stringify({ order, lines }, null, 2)}\n`);
  }
}

/** In the order of their paths. */
function filesBelow(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
