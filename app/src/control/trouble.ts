import { Failure, isFailure } from '@holdfast/engine';

/** Whatever was thrown, as a failure: what goes wrong in a control plane is told and does not end it. */
export function troubleOf(error: unknown): Failure {
  if (isFailure(error)) return error;
  return new Failure('internal', error instanceof Error ? error.message : String(error), { cause: error });
}
