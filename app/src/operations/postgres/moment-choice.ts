import type { RepositoryView } from '../../journal/repository-view.ts';
import { BASE_TAGS } from '../../sources/postgres/base/base-record.ts';
import { type MomentPlan, planMoment } from '../../sources/postgres/restore/plan-moment.ts';
import type { Machine } from '../machine.ts';
import type { OpenedRepository } from '../repository-access.ts';
import { chooseSnapshot } from '../snapshot-choice.ts';
import { parseTarget } from './restore-target.ts';

/** A moment as a command line names it. */
interface NamedMoment {
  readonly to: string;
  readonly exclusive?: true;
  readonly base?: string;
  readonly system?: string;
  readonly timeline?: number;
}

/** How the moment that is meant comes back. */
export async function chooseMoment(
  view: RepositoryView,
  { to, exclusive, base, system, timeline }: NamedMoment,
  { clock, timeZone }: Pick<Machine, 'clock' | 'timeZone'>,
  { repository, signal }: OpenedRepository,
): Promise<MomentPlan> {
  const named =
    base === undefined ? undefined : await chooseSnapshot(repository, base, { tag: [BASE_TAGS] }, signal);
  const wanted = {
    target: parseTarget(to, timeZone),
    inclusive: exclusive !== true,
    ...(system === undefined ? {} : { systemId: system }),
    ...(named === undefined ? {} : { base: named.snapshot }),
    ...(timeline === undefined ? {} : { timeline }),
  };
  return await planMoment(view, wanted, { clock, signal });
}
