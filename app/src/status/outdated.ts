import { CONTROL_PLANE } from '../alert/routing.ts';
import { formatAge } from '../cli/format.ts';
import { SILENCE } from './patience.ts';
import type { Judged, Status } from './status.ts';
import { worstVerdict } from './verdict.ts';

/** Pure: a judgement of before, as it is to be read now. What nobody looks at any more is not good, however good it was. */
export function asOfNow(status: Status, now: number): Status {
  if (now - status.at <= SILENCE) return status;
  const sentence = `Nobody has looked since ${formatAge(status.at, now)}.`;
  const unknown = <Part extends Judged>(part: Part): Part => ({
    ...part,
    verdict: worstVerdict([part.verdict, 'unknown']),
    unknown: [...part.unknown, sentence],
  });
  const silent = {
    key: 'holdfast: silent',
    severity: 'critical',
    about: CONTROL_PLANE,
    code: 'holdfast.silent',
    message: `The control plane showed its last sign of life ${formatAge(status.at, now)}: nothing happens by itself.`,
    hint: 'Start it: holdfast up',
    since: status.at,
  } as const;
  const holdfast = unknown(status.holdfast);
  return {
    ...status,
    verdict: 'broken',
    sources: status.sources.map(unknown),
    copies: status.copies.map(unknown),
    repositories: status.repositories.map(unknown),
    holdfast: { ...holdfast, verdict: 'broken', problems: [silent, ...holdfast.problems] },
    problems: [silent, ...status.problems],
  };
}
