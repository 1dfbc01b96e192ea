import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import {
  executeDeletion,
  Failure,
  type IndexedRepository,
  planDeletion,
  type RestoreProblem,
  resolveFolder,
  type StoredSnapshot,
} from '@holdfast/engine';
import { BASE_FOLDER } from '../base/base-record.ts';
import type { StoredBase } from '../base/stored-bases.ts';
import { codeOf } from './ownership.ts';
import { inspectTarget, type OverwriteRules, refuseTarget, type TargetState } from './target-directory.ts';
import { UNFINISHED_PATTERNS } from './unfinished.ts';

/** A folder of a base's snapshot and the directory that it comes back into. */
export interface BasePlace {
  /** Below the snapshot's root. */
  readonly folder: string;
  readonly directory: string;
  /** Of a tablespace. */
  readonly oid?: number;
  /** What of the folder is none of a plain restore's business, or what alone of the directory is the base's. */
  readonly rules: { readonly exclude?: readonly string[]; readonly include?: readonly string[] };
}

export interface BasePlaces {
  /** What was there before. */
  readonly state: TargetState;
  /** The data directory first. */
  readonly places: readonly BasePlace[];
}

export interface PlaceOptions extends Omit<OverwriteRules, 'systemId'> {
  /** The data directory, absolute. */
  readonly target: string;
  readonly tablespaces?: ReadonlyMap<number, string> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Where everything of a base goes, after a look at what is there. A tablespace goes where it is said; else where the
 * directory that is written over had it; else below `<target>.tablespaces/`. Throws as `refuseTarget` does.
 */
export async function findPlaces(
  indexed: IndexedRepository,
  { snapshot, record }: StoredBase,
  { target, tablespaces, signal, ...rules }: PlaceOptions,
): Promise<BasePlaces> {
  const state = await inspectTarget(target);
  refuseTarget(target, state, { ...rules, systemId: record.systemId });
  const before = 'tablespaces' in state ? state.tablespaces : new Map<number, string>();
  const places: BasePlace[] = [];
  for (const { oid } of record.tablespaces) {
    const directory = path.resolve(
      tablespaces?.get(oid) ?? before.get(oid) ?? `${target}.tablespaces/${oid}`,
    );
    const folder = `${BASE_FOLDER}/pg_tblspc/${oid}`;
    // Clusters of several versions may share a tablespace's directory, each with a folder of its own.
    const include = await namesBelow(indexed, snapshot, folder, signal);
    if (directory !== before.get(oid)) await refuseOccupied(directory);
    places.push({ folder, directory, oid, rules: { include } });
  }
  const elsewhere = [...NOT_BROUGHT, ...record.tablespaces.map(({ oid }) => `/pg_tblspc/${oid}`)];
  const data = {
    folder: BASE_FOLDER,
    directory: target,
    rules: { exclude: [...UNFINISHED_PATTERNS, ...elsewhere] },
  };
  return { state, places: [data, ...places] };
}

/**
 * Where tablespaces go is written anew; and a base of a standby would wait for its primary for ever, did it still say that it
 * is one.
 */
const NOT_BROUGHT = ['/tablespace_map', '/standby.signal', '/recovery.signal'];

/** What is in the places and not in the base, as absolute paths; a directory ends with a slash. */
export async function strangersIn(
  indexed: IndexedRepository,
  snapshot: StoredSnapshot,
  { state, places }: BasePlaces,
  signal?: AbortSignal,
): Promise<string[]> {
  if (state.kind === 'new') return [];
  const found: string[] = [];
  for (const { directory, plan } of await deletions(indexed, snapshot, places, signal)) {
    for (const { path: name, isDirectory } of plan.entries) {
      found.push(`${directory}${name}${isDirectory ? '/' : ''}`);
    }
  }
  return found;
}

/**
 * Removes what the base does not have, WAL of another history above all. Looked for again, since it is done when no server
 * starts on the directory any more, and whatever came since the plan does not belong there either.
 */
export async function removeStrangers(
  indexed: IndexedRepository,
  snapshot: StoredSnapshot,
  places: readonly BasePlace[],
  options: { readonly signal?: AbortSignal; readonly onProblem: (problem: RestoreProblem) => void },
): Promise<number> {
  let deleted = 0;
  for (const { plan } of await deletions(indexed, snapshot, places, options.signal)) {
    deleted += executeDeletion(plan, options).deleted;
  }
  return deleted;
}

async function deletions(
  indexed: IndexedRepository,
  { tree }: StoredSnapshot,
  places: readonly BasePlace[],
  signal: AbortSignal | undefined,
) {
  const found = [];
  for (const { folder, directory, rules } of places) {
    if (!existsSync(directory)) continue;
    const options = { target: directory, rules, ...(signal === undefined ? {} : { signal }) };
    const plan = await planDeletion(indexed, { tree, subfolder: folder }, options);
    found.push({ directory, plan });
  }
  return found;
}

async function refuseOccupied(directory: string): Promise<void> {
  const { kind } = await inspectTarget(directory);
  if (kind === 'new') return;
  throw new Failure('target.not-empty', `${directory} is not empty`, {
    subject: directory,
    hint: 'A tablespace goes into a new or empty directory: --tablespace oid=directory says which.',
  });
}

async function namesBelow(
  indexed: IndexedRepository,
  { tree }: StoredSnapshot,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const { nodes } = await indexed.loadTree(
    await resolveFolder(indexed, tree, folder.split('/'), signal),
    signal,
  );
  return nodes.map(({ name }) => `/${name.toString()}`);
}

/** Closed to others from the first moment on. */
export async function makeDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new Failure('target.write', `${directory} cannot be made (${codeOf(cause)})`, {
      subject: directory,
      cause,
    });
  }
}
