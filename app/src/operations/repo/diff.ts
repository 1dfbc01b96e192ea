import { diffTrees, type Failure, resolveFolder } from '@holdfast/engine';
import type { CompareSnapshots } from '../../cli/commands/repo/diff.ts';
import type { ChangeSummary } from '../../cli/render/changes.ts';
import { failureOf } from '../finding-failure.ts';
import { type AccessMachine, openAccess } from '../repository-access.ts';
import { chooseSnapshot } from '../snapshot-choice.ts';

export function compareSnapshots(machine: AccessMachine): CompareSnapshots {
  return async function* (access, request, outer) {
    await using opened = await openAccess(access, { intent: 'read', signal: outer }, machine);
    const { repository, signal } = opened;
    const indexed = await repository.loadIndexToRead(signal);
    const treeOf = async (reference: string) => {
      const { snapshot, folder } = await chooseSnapshot(repository, reference, {}, signal);
      return await resolveFolder(indexed, snapshot.tree, folder, signal);
    };
    const before = await treeOf(request.before);
    const after = await treeOf(request.after);
    const options = { metadata: request.metadata ?? false, signal };
    let damage: Failure | undefined;
    let summary: ChangeSummary | undefined;
    for await (const step of diffTrees(indexed, before, after, options)) {
      if (step.kind === 'problem') damage ??= failureOf(step.problem);
      else if (step.kind === 'statistics') {
        const { changedFiles, added, removed } = step;
        summary = { changedFiles, added, removed };
      } else {
        const isDirectory = (step.after ?? step.before)?.type === 'dir';
        yield { modifier: step.modifier, path: isDirectory ? `${step.path}/` : step.path };
      }
    }
    if (damage !== undefined) throw damage;
    if (summary === undefined) throw new Error('a comparison ended without its statistics');
    return summary;
  };
}
