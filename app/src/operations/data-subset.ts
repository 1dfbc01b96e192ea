import type { ReadData } from '@holdfast/engine';
import type { DataSubset } from '../cli/commands/repo/check.ts';

/** The packs that a part on the command line stands for. */
export function readDataOf(subset: DataSubset | undefined): ReadData {
  if (subset === undefined) return 'none';
  if (subset.kind === 'part') return { n: subset.part, of: subset.of };
  return subset.kind === 'share' ? { percent: subset.share * 100 } : { bytes: subset.bytes };
}
