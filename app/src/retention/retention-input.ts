import type { OpenFinding, Point, RecoveryWindow } from '../catalog/records.ts';
import type { KeepRules, LegalHold } from '../policy/model.ts';

/** All that retention looks at: one source at one repository. */
export interface RetentionInput {
  /** Every one there is; a point that is not handed in is not judged, and not missed. */
  readonly points: readonly Point[];
  /** What its journal covers without a gap; empty or absent: taken for one without. */
  readonly windows?: readonly RecoveryWindow[];
  readonly rules: KeepRules;
  /** For records of our own; absent: they all stay. */
  readonly recordRules?: KeepRules;
  readonly holds: readonly LegalHold[];
  readonly findings: readonly OpenFinding[];
  /** Why the points cannot be judged now: the catalog is not complete, a snapshot was unreadable. Nothing goes then. */
  readonly doubt?: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Whose calendar tells hours, days, weeks apart. */
  readonly timezone: string;
}
