import type { AlertChannel, Severity } from '../policy/model.ts';
import type { Problem } from './incident.ts';

const RANK = { info: 0, warning: 1, critical: 2 } as const satisfies Record<Severity, number>;

/** Of a channel that fails; what it is about is the channel's name. */
export const DELIVERY_FAILING = 'delivery.failing';
/** What a problem of the control plane itself is about. */
export const CONTROL_PLANE = 'holdfast';

interface Graded {
  readonly severity: Severity;
}

/** Above zero: `a` is worse. */
export function compareSeverity(a: Graded, b: Graded): number {
  return RANK[a.severity] - RANK[b.severity];
}

/**
 * Whether a channel wants to hear of a problem. Trouble of the control plane concerns everybody, whatever they asked
 * for by name, since all they asked for depends on it; a channel that fails is told through the others.
 */
export function isRouted(problem: Problem, channel: AlertChannel): boolean {
  if (compareSeverity(problem, channel) < 0) return false;
  if (problem.code === DELIVERY_FAILING) return problem.about !== channel.name;
  return (
    channel.about.length === 0 || problem.about === CONTROL_PLANE || channel.about.includes(problem.about)
  );
}
