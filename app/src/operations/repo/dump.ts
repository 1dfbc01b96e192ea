import { dumpPath, type Failure } from '@holdfast/engine';
import type { DumpContent } from '../../cli/commands/repo/dump.ts';
import { failureOf } from '../finding-failure.ts';
import { type AccessMachine, openAccess } from '../repository-access.ts';
import { chooseSnapshot } from '../snapshot-choice.ts';

export function dumpContent(machine: AccessMachine): DumpContent {
  return async (access, request, outer) => {
    await using opening = new AsyncDisposableStack();
    const opened = opening.use(await openAccess(access, { intent: 'read', signal: outer }, machine));
    const { repository, signal } = opened;
    const { snapshot, folder } = await chooseSnapshot(repository, request.snapshot, request, signal);
    const indexed = await repository.loadIndexToRead(signal);
    const path = [...folder, request.file].join('/');
    let damage: Failure | undefined;
    const dump = await dumpPath(indexed, snapshot.tree, path, {
      signal,
      onProblem: (problem) => {
        damage ??= failureOf(problem);
      },
    });
    const open = opening.move();
    const bytes = async function* () {
      await using _ = open;
      yield* dump.bytes;
      if (damage !== undefined) throw damage;
    };
    return {
      kind: dump.type === 'tar' ? 'archive' : 'file',
      bytes: bytes(),
      [Symbol.asyncDispose]: () => open.disposeAsync(),
    };
  };
}
