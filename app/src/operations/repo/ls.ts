import { listTree, resolveFolder } from '@holdfast/engine';
import type { ListEntries } from '../../cli/commands/repo/ls.ts';
import { entryOf } from '../entry.ts';
import { failureOf } from '../finding-failure.ts';
import { type AccessMachine, openAccess } from '../repository-access.ts';
import { chooseSnapshot } from '../snapshot-choice.ts';

export function listEntries(machine: AccessMachine): ListEntries {
  return async function* (access, request, outer) {
    await using opened = await openAccess(access, { intent: 'read', signal: outer }, machine);
    const { repository, signal } = opened;
    const { snapshot, folder } = await chooseSnapshot(repository, request.snapshot, request, signal);
    const indexed = await repository.loadIndexToRead(signal);
    const tree = await resolveFolder(indexed, snapshot.tree, folder, signal);
    const options = { directories: request.directories, recursive: request.recursive ?? false, signal };
    let damage: ReturnType<typeof failureOf> | undefined;
    for await (const step of listTree(indexed, tree, options)) {
      if (step.kind === 'entry') yield entryOf(step.path, step.node);
      else damage ??= failureOf(step.problem);
    }
    if (damage !== undefined) throw damage;
  };
}
