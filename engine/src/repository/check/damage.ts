import { type Failure, type FailureCode, isFailure } from '../../kernel/failure.ts';

/** What says something about a file. All else (no connection, no permission, stopped) says nothing and ends a check. */
const DAMAGE: ReadonlySet<FailureCode> = new Set<FailureCode>([
  'repository.damaged',
  'repository.unsupported',
  'repository.blob-missing',
  'backend.not-found',
  'backend.short-read',
  'backend.io',
]);

/** The failure, if it is damage to what was read; throws it again otherwise. */
export function damageOf(error: unknown): Failure {
  if (isFailure(error) && DAMAGE.has(error.code)) return error;
  throw error;
}
