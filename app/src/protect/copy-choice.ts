import type { OpenFinding, Point, RecoveryWindow } from '../catalog/records.ts';
import type { CopyPolicy, KeepRules, Policy } from '../policy/model.ts';
import { decideRetention } from '../retention/decide-retention.ts';

export interface CopyMeeting {
  readonly policy: Policy;
  readonly copy: CopyPolicy;
  /** What the source has of the copy's sources, and what the target has. */
  readonly here: readonly Point[];
  readonly there: readonly Point[];
  /** Of both; where `windowsCount` says so. */
  readonly windows: readonly RecoveryWindow[];
  readonly findings: readonly OpenFinding[];
  readonly now: number;
}

/**
 * Pure: the points that a copy carries: those that retention at the target would keep if all of them were there. What it
 * has removed there does not come again. In doubt all go.
 */
export function pointsToCarry({ policy, copy, here, there, windows, findings, now }: CopyMeeting): Point[] {
  const missing = missingOf(here, there);
  return copy.sources.flatMap((name) => {
    const source = policy.sources.find((one) => one.name === name);
    const ofIt = (point: Pick<Point, 'source'>) => point.source === name;
    const wanted = missing.filter(ofIt);
    if (source === undefined || wanted.length === 0) return wanted;
    const { kept } = decideRetention({
      points: [...there.filter(ofIt), ...wanted],
      windows: windows.filter(ofIt),
      rules: copy.keep ?? source.keep,
      holds: source.hold === undefined ? [] : [source.hold],
      findings,
      now,
      timezone: policy.timezone,
    });
    const keeps = new Set(kept.map(({ point }) => point));
    return wanted.filter((point) => keeps.has(point));
  });
}

/** Pure: whether it matters where windows begin. What is younger than `for` is kept however they lie. */
export function windowsCount({ policy, copy, here, there, now }: Omit<CopyMeeting, 'windows' | 'findings'>) {
  return missingOf(here, there).some(({ source: name, time }) => {
    const source = policy.sources.find((one) => one.name === name);
    const { for: span }: KeepRules = copy.keep ?? source?.keep ?? {};
    return source?.journal !== undefined && span !== undefined && time <= now - span;
  });
}

/** The id under which a snapshot was first saved is the same at every place. */
function missingOf(here: readonly Point[], there: readonly Point[]): Point[] {
  const known = new Set(there.map(nameOf));
  return here.filter((point) => !known.has(nameOf(point)));
}

function nameOf({ original, source }: Point): string {
  return `${original} ${source}`;
}
