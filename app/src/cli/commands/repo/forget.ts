import { Failure } from '@holdfast/engine';
import { type Command, InvalidArgumentError } from 'commander';
import { endWritingCommand, newCommand, type Work } from '../../command-frame.ts';
import type { Context } from '../../context.ts';
import { formatCounted } from '../../format.ts';
import { type CalendarSpan, collectLists, parseCalendarSpan, parseKeepCount } from '../../option-values.ts';
import type { Planned } from '../../planned.ts';
import { runPlanned } from '../../planned-command.ts';
import { addPruneOptions, type PruneOptions } from '../../prune-options.ts';
import { type ForgetPlan, forgetRecords, renderForgetPlan } from '../../render/forget-plan.ts';
import { type PruneOutcome, renderPruneOutcome } from '../../render/prune-plan.ts';
import type { RepositoryAccess } from '../../repository-options.ts';
import { addSnapshotFilter, type SnapshotFilter } from '../../snapshot-filter.ts';
import { signs } from '../../style.ts';
import { type PlanUndo, undoForget } from './undo-forget.ts';

/** Counts are `Infinity` for unlimited. */
export interface KeepOptions {
  readonly keepLast?: number;
  readonly keepHourly?: number;
  readonly keepDaily?: number;
  readonly keepWeekly?: number;
  readonly keepMonthly?: number;
  readonly keepYearly?: number;
  readonly keepWithin?: CalendarSpan;
  readonly keepWithinHourly?: CalendarSpan;
  readonly keepWithinDaily?: CalendarSpan;
  readonly keepWithinWeekly?: CalendarSpan;
  readonly keepWithinMonthly?: CalendarSpan;
  readonly keepWithinYearly?: CalendarSpan;
  readonly keepTag?: readonly (readonly string[])[];
}

export type Grouping = 'host' | 'paths' | 'tags';

export interface ForgetOptions extends KeepOptions, SnapshotFilter, PruneOptions {
  readonly groupBy: readonly Grouping[];
  readonly prune?: true;
  readonly dryRun?: true;
  readonly compact?: true;
  readonly undo?: true;
}

export interface ForgetRequest extends ForgetOptions {
  /** Forget exactly these; then no rules are given. */
  readonly snapshots: readonly string[];
}

export interface ForgetOutcome {
  readonly forgotten: number;
  /** With `--prune`, when something was forgotten. */
  readonly pruned?: PruneOutcome;
}

export type PlanForget = (
  access: RepositoryAccess,
  request: ForgetRequest,
  work: Work,
) => Promise<Planned<ForgetPlan, ForgetOutcome>>;

/** What forgetting needs, and undoing it. */
export interface ForgetParts {
  readonly planForget: PlanForget;
  readonly planUndo: PlanUndo;
}

export type { PlanUndo } from './undo-forget.ts';

const PERIODS = ['hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const;
/** restic has -H for hourly here; it is --host everywhere else, so in this command's filter as well. */
const FLAGS = {
  hourly: '--keep-hourly',
  daily: '-d, --keep-daily',
  weekly: '-w, --keep-weekly',
  monthly: '-m, --keep-monthly',
  yearly: '-y, --keep-yearly',
} as const;
const UNITS = {
  hourly: 'hours',
  daily: 'days',
  weekly: 'weeks',
  monthly: 'months',
  yearly: 'years',
} as const;
const GROUPINGS: readonly string[] = ['host', 'paths', 'tags'] satisfies Grouping[];

export function define(parent: Command, context: Context, { planForget, planUndo }: ForgetParts): void {
  const command = newCommand(parent, {
    usage: 'forget [point...]',
    summary: 'thin out snapshots by rules, or remove some',
    description:
      'Removes the snapshots that no rule keeps, and says for each why it stays or goes. Their data stays in the ' +
      'repository until a prune has marked it and another one, a day later, removes it: until then --undo brings ' +
      'them back.',
    examples: [
      [
        'holdfast repo forget --keep-daily 7 --keep-weekly 5 --keep-monthly 12 --dry-run',
        'show what would go',
      ],
      ['holdfast repo forget --keep-within 30d --keep-yearly unlimited --prune', 'and free the space'],
      ['holdfast repo forget 1a2b3c4d', 'exactly this one'],
      ['holdfast repo forget --undo', 'bring back what was forgotten last'],
    ],
  });
  addKeepOptions(command);
  command
    .optionsGroup('How:')
    .option('-g, --group-by <what>', 'apply the rules to each group of host, paths, tags', parseGrouping)
    .option('-n, --dry-run', 'remove nothing, only show the plan')
    .option('--prune', 'then free the space of what was forgotten')
    .option('-c, --compact', 'show only the counts of each group')
    .option('--undo', 'bring back the points that are named, or those of the last forget')
    .setOptionValueWithSource('groupBy', ['host', 'paths'], 'default');
  addSnapshotFilter(command);
  addPruneOptions(command);
  endWritingCommand(command).action(async (snapshots: string[]) => {
    const request = { ...command.opts<ForgetOptions>(), snapshots };
    refuseContradictions(request);
    if (request.undo === true) return await undoForget(command, context, request, planUndo);
    await forget(command, context, request, planForget);
  });
}

async function forget(
  command: Command,
  context: Context,
  request: ForgetRequest,
  planForget: PlanForget,
): Promise<void> {
  const dryRun = request.dryRun === true;
  await runPlanned(command, context, {
    plan: (access, work) => planForget(access, request, work),
    dryRun,
    showPlan: (plan) => ({
      lines: (style, width) =>
        renderForgetPlan(plan, {
          style,
          width,
          dryRun,
          compact: request.compact === true,
          now: context.clock.now(),
          timeZone: context.timeZone,
        }),
      records: () => forgetRecords(plan),
    }),
    showOutcome: (outcome) => ({
      lines: (style) => [
        `${style.good(signs.good)} Forgot ${formatCounted(outcome.forgotten, 'point')}`,
        ...(outcome.pruned === undefined ? nextAfter(outcome) : renderPruneOutcome(outcome.pruned, style)),
      ],
      records: () => [{ type: 'summary', ...outcome }],
    }),
  });
}

function nextAfter({ forgotten }: ForgetOutcome): string[] {
  if (forgotten === 0) return [];
  return ['  Next: holdfast repo prune   frees their space; holdfast repo forget --undo brings them back'];
}

function addKeepOptions(command: Command): void {
  command.optionsGroup('What stays:').option('-l, --keep-last <n>', 'the last n', parseKeepCount);
  for (const period of PERIODS) {
    command.option(`${FLAGS[period]} <n>`, `the last of each of the last n ${UNITS[period]}`, parseKeepCount);
  }
  command.option(
    '--keep-within <span>',
    'all of this span before the newest, such as 1y5m7d2h',
    parseCalendarSpan,
  );
  for (const period of PERIODS) {
    command.option(
      `--keep-within-${period} <span>`,
      `one of each of the ${UNITS[period]} in it`,
      parseCalendarSpan,
    );
  }
  command.option('--keep-tag <tags>', 'all with these tags (several times: any of them)', collectLists);
}

export function parseGrouping(text: string): readonly Grouping[] {
  const parts = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  const names = parts.map((part) => (part === 'path' || part === 'tag' ? `${part}s` : part));
  const unknown = names.find((name) => !GROUPINGS.includes(name));
  if (unknown !== undefined)
    throw new InvalidArgumentError(`It is made of host, paths and tags, not "${unknown}".`);
  return [...new Set(names)] as Grouping[];
}

/** Without any rule everything would go: that is never what somebody means. */
function refuseContradictions(request: ForgetRequest): void {
  // `--keep-delete` says how long marked packs stay, not which points do.
  const rules = Object.keys(request).some((name) => name.startsWith('keep') && name !== 'keepDelete');
  if (request.undo === true) {
    if (!rules && request.prune !== true) return;
    throw new Failure('usage', '--undo brings points back: --keep rules and --prune contradict it');
  }
  if (request.snapshots.length > 0 && rules) {
    throw new Failure('usage', 'points and --keep rules contradict each other: give one or the other');
  }
  if (request.snapshots.length === 0 && !rules) {
    throw new Failure('usage', 'no rule says what to keep, so everything would be forgotten', {
      hint: 'Give at least one, such as --keep-daily 7, and look at --dry-run first.',
    });
  }
}
