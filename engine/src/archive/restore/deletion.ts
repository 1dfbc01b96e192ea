import { lstatSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Node } from '../../format/types.ts';
import type { IndexedRepository } from '../../repository/indexed-repository.ts';
import { type BytePath, toBytes, toSystemPath } from '../backup/byte-path.ts';
import { type PathText, pathBytes, pathText } from '../filter/path-text.ts';
import { Directories } from './directories.ts';
import { Ledger, type LedgerEntry, TARGET, TARGET_ENTRY } from './ledger.ts';
import { codeOf, type RestoreProblem, wordsOf } from './problem.ts';
import { compileRestoreRules, type RestoreRules, type RestoreSelection } from './selection.ts';
import { type RestoreSource, sourceTree } from './source.ts';
import { type TreeVisitor, walkTrees } from './tree-walk.ts';

export interface DeletionOptions {
  readonly target: PathText;
  /** Only what the rules want restored is deleted: what is excluded is nobody's business here either. */
  readonly rules?: RestoreRules;
  readonly signal?: AbortSignal;
  readonly onProblem?: (problem: RestoreProblem) => void;
}

/** What is in the target and not in the snapshot, to be printed, then executed once. */
export interface DeletionPlan {
  readonly target: BytePath;
  readonly ledger: Ledger;
  /** A directory's entries stand before itself. */
  readonly entries: readonly Deletion[];
}

export interface Deletion {
  /** Below the target, with a slash in front. */
  readonly path: PathText;
  readonly isDirectory: boolean;
  readonly record: number;
  /** So that nothing else that took its name in the meantime is deleted: inodes alone are soon used again. */
  readonly inode: bigint;
  readonly device: bigint;
  /** Nanoseconds. */
  readonly ctime: bigint;
}

/**
 * Looks for what a restored directory has and the snapshot has not. The contents of such a directory are listed one by
 * one: executing the plan deletes exactly what it says. Symlinks are never followed.
 */
export async function planDeletion(
  indexed: IndexedRepository,
  source: RestoreSource,
  options: DeletionOptions,
): Promise<DeletionPlan> {
  const { signal } = options;
  const target = pathBytes(resolve(options.target)).toString('latin1');
  const ledger = Ledger.create();
  const directories = new Directories(ledger, target);
  const selection = compileRestoreRules(options.rules);
  const strangers = new Strangers(ledger, directories, selection);
  try {
    await walkTrees(indexed, {
      tree: await sourceTree(indexed, source, signal),
      root: { record: TARGET, path: '' },
      selection,
      visitor: strangers,
      problem: (problem) => options.onProblem?.(problem),
      signal,
    });
  } finally {
    directories.close();
  }
  return { target, ledger, entries: strangers.found };
}

export interface DeletionSummary {
  readonly deleted: number;
  readonly problems: number;
}

/** Deletes what the plan lists and nothing else; what changed since is left and told as a problem. */
export function executeDeletion(
  plan: DeletionPlan,
  options: Pick<DeletionOptions, 'signal' | 'onProblem'> = {},
): DeletionSummary {
  const directories = new Directories(plan.ledger, plan.target);
  let [deleted, problems] = [0, 0];
  try {
    for (const entry of plan.entries) {
      options.signal?.throwIfAborted();
      try {
        deleteOne(toSystemPath(directories.entry(entry.record)), entry);
        deleted += 1;
      } catch (error) {
        problems += 1;
        const kind = codeOf(error) === 'ENOTEMPTY' ? 'in-the-way' : 'write';
        options.onProblem?.({ path: entry.path, kind, message: wordsOf(error) });
      }
    }
  } finally {
    directories.close();
  }
  return { deleted, problems };
}

function deleteOne(path: string | Buffer, { inode, device, ctime, isDirectory }: Deletion): void {
  const found = lstatSync(path, { bigint: true });
  // Deleting what is in a directory changed its time; not empty, it stays in any case.
  const isSame = found.ino === inode && found.dev === device && (isDirectory || found.ctimeNs === ctime);
  if (!isSame) throw new Error('something else is there now, and is left alone');
  if (isDirectory) rmdirSync(path);
  else unlinkSync(path);
}

interface Place {
  readonly record: number;
  readonly path: PathText;
}

class Strangers implements TreeVisitor<Place> {
  readonly found: Deletion[] = [];
  readonly #ledger: Ledger;
  readonly #directories: Directories;
  readonly #selection: RestoreSelection;

  constructor(ledger: Ledger, directories: Directories, selection: RestoreSelection) {
    this.#ledger = ledger;
    this.#directories = directories;
    this.#selection = selection;
  }

  enter(place: Place, nodes: readonly Node[]): void {
    const names = new Set(nodes.map((node) => node.name.toString('latin1')));
    for (const name of this.#list(place)) if (!names.has(name)) this.#stranger(place, name);
  }

  /** Only into what is a directory in both. */
  directory(parent: Place, node: Node, path: PathText): Place | undefined {
    const record = this.#append(parent.record, node.name.toString('latin1'));
    const found = this.#look(record);
    return found?.isDirectory() ? { record, path } : undefined;
  }

  entry(): void {
    // What the snapshot has is the restore's business.
  }

  /** Children first. What is kept inside keeps the directories that it lies in. */
  #stranger(parent: Place, name: BytePath): void {
    const waiting: { place: Place; listed: boolean }[] = [
      { place: this.#placeOf(parent, name), listed: false },
    ];
    const keeping = new Set<number>();
    for (let next = waiting.at(-1); next !== undefined; next = waiting.at(-1)) {
      const { place } = next;
      const found = this.#look(place.record);
      const isDirectory = found?.isDirectory() ?? false;
      if (isDirectory && !next.listed) {
        next.listed = true;
        for (const child of this.#list(place)) {
          waiting.push({ place: this.#placeOf(place, child), listed: false });
        }
        continue;
      }
      waiting.pop();
      if (found === undefined) continue;
      if (keeping.has(place.record) || !this.#selection(place.path, isDirectory).wanted) {
        keeping.add(this.#ledger.directoryOf(place.record));
        continue;
      }
      this.found.push({ ...place, isDirectory, inode: found.ino, device: found.dev, ctime: found.ctimeNs });
    }
  }

  #placeOf(parent: Place, name: BytePath): Place {
    return {
      record: this.#append(parent.record, name),
      path: `${parent.path}/${pathText(toBytes(name))}`,
    };
  }

  #append(directory: number, name: BytePath): number {
    const entry: LedgerEntry = { ...TARGET_ENTRY, directory, name };
    return this.#ledger.append(entry);
  }

  #look(record: number) {
    const path = toSystemPath(this.#directories.entry(record));
    return lstatSync(path, { bigint: true, throwIfNoEntry: false });
  }

  #list({ record }: Place): BytePath[] {
    return readdirSync(toSystemPath(this.#directories.inside(record)), 'latin1' as BufferEncoding);
  }
}
