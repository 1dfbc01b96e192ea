import type { Backend, FileType } from '../backend/backend.ts';
import { mapConcurrently } from '../kernel/concurrency.ts';
import { isFailure } from '../kernel/failure.ts';

export interface Removal {
  /** Called after each file that is gone. */
  readonly onRemoved?: () => void;
  readonly signal: AbortSignal;
}

/** Removes files of one type, in no order. One that is not there any more is removed: a try whose answer was lost. */
export async function removeFiles(
  backend: Backend,
  type: FileType,
  names: Iterable<string>,
  { onRemoved, signal }: Removal,
): Promise<void> {
  await mapConcurrently(names, backend.connections, async (name) => {
    signal.throwIfAborted();
    try {
      await backend.remove({ type, name }, signal);
    } catch (error) {
      if (!isFailure(error, 'backend.not-found')) throw error;
    }
    onRemoved?.();
  });
}
