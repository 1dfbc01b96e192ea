import {
  type Failure,
  findNames,
  findObjects,
  type IndexedRepository,
  type StoredSnapshot,
} from '@holdfast/engine';
import type { FindEntries, FindRequest, Match } from '../../cli/commands/repo/find.ts';
import { entryOf } from '../entry.ts';
import { failureOf } from '../finding-failure.ts';
import { type AccessMachine, openAccess } from '../repository-access.ts';
import { chooseSnapshots } from '../snapshot-choice.ts';

export function findEntries(machine: AccessMachine): FindEntries {
  return async function* (access, request, outer) {
    await using opened = await openAccess(access, { intent: 'read', signal: outer }, machine);
    const { repository, signal } = opened;
    const snapshots = await chooseSnapshots(repository, request.snapshot ?? [], request, signal);
    const indexed = await repository.loadIndexToRead(signal);
    let damage: Failure | undefined;
    for await (const { matches, problems } of search(indexed, snapshots, request, signal)) {
      yield* matches;
      if (problems[0] !== undefined) damage ??= failureOf(problems[0]);
    }
    if (damage !== undefined) throw damage;
  };
}

async function* search(
  indexed: IndexedRepository,
  snapshots: readonly StoredSnapshot[],
  request: FindRequest,
  signal: AbortSignal,
) {
  const { patterns } = request;
  if (request.blob || request.tree || request.pack) {
    const query = request.blob
      ? { blobs: patterns }
      : request.tree
        ? { trees: patterns }
        : { packs: patterns };
    for await (const { snapshot, matches, problems } of findObjects(indexed, snapshots, query, signal)) {
      yield { matches: matches.map((object): Match => ({ snapshot, object })), problems };
    }
    return;
  }
  const query = {
    patterns,
    ignoreCase: request.ignoreCase ?? false,
    ...(request.oldest === undefined ? {} : { oldest: nanoseconds(request.oldest) }),
    ...(request.newest === undefined ? {} : { newest: nanoseconds(request.newest) }),
  };
  for await (const { snapshot, matches, problems } of findNames(indexed, snapshots, query, signal)) {
    const found = matches.map(({ path, node }): Match => ({ snapshot, entry: entryOf(path, node) }));
    yield { matches: found, problems };
  }
}

function nanoseconds(milliseconds: number): bigint {
  return BigInt(milliseconds) * 1_000_000n;
}
