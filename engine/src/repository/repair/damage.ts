import { type Failure, isFailure } from '../../kernel/failure.ts';
import { damageOf as damageFound } from '../check/damage.ts';

/**
 * The failure, if it is damage to what was read; throws it again otherwise. `strict`: that a disk could not read
 * something is no reason to believe that it is lost.
 */
export function damageOf(error: unknown, strict = false): Failure {
  if (strict && isFailure(error, 'backend.io')) throw error;
  return damageFound(error);
}
