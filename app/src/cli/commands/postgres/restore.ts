import { Failure, type Id } from '@holdfast/engine';
import { type Command, Option } from 'commander';
import { endRepositoryCommand, newCommand, type Work } from '../../command-frame.ts';
import type { ConsentRequest } from '../../consent.ts';
import type { Context } from '../../context.ts';
import { formatCounted } from '../../format.ts';
import { collect, parsePositive } from '../../option-values.ts';
import type { Planned } from '../../planned.ts';
import { runPlanned } from '../../planned-command.ts';
import { postgresPlanRecord, renderPostgresPlan } from '../../render/postgres-plan.ts';
import { postgresRestoreRecord, renderPostgresRestore } from '../../render/postgres-restore.ts';
import type { RepositoryAccess } from '../../repository-options.ts';
import type { Style } from '../../style.ts';
import type { JournalMoment } from './points.ts';

export interface PostgresRestoreRequest {
  /** An id, its beginning or `latest`. */
  readonly base?: string;
  readonly target: string;
  /** `latest`, `immediate`, a time, a position, `xid:…` or `name:…`. */
  readonly to: string;
  readonly exclusive?: true;
  readonly action: 'promote' | 'pause';
  readonly start?: true;
  readonly delta?: true;
  readonly otherSystem?: true;
  /** The token of the plan that is agreed to. */
  readonly consent?: string;
  readonly dryRun?: true;
  readonly system?: string;
  readonly timeline?: number;
  /** `oid=directory` each. */
  readonly tablespace?: readonly string[];
  /** `uid[:gid]`. */
  readonly owner?: string;
  /** KiB/s. */
  readonly limitDownload?: number;
}

/** What would be done, before anything is. */
export interface PostgresRestorePlan {
  /** The data directory, absolute. */
  readonly target: string;
  /** As it was asked for, and what the server will be told. */
  readonly asked: string;
  readonly to: string;
  readonly inclusive: boolean;
  readonly action: 'promote' | 'pause';
  readonly start: boolean;
  readonly systemId: string;
  readonly server: string;
  readonly serverVersion: string;
  readonly timeline: number;
  readonly base: {
    readonly snapshot: Id;
    readonly endedAt: string;
    readonly endLsn: string;
    readonly bytes: number;
  };
  /** What is replayed on top of the base. */
  readonly wal: {
    readonly segments: number;
    readonly slices: number;
    readonly bytes: number;
    readonly directory: string;
  };
  /** What the journal has beyond the target, which will not be there; absent when nothing, or when nobody knows. */
  readonly after?: { readonly bytes: number; readonly until: JournalMoment };
  /** From rates that are assumed. */
  readonly expectedMilliseconds: number;
  readonly tablespaces: readonly { readonly oid: number; readonly directory: string }[];
  /** uid:gid, as root. */
  readonly owner?: string;
  /** `new`: nothing is there. `unfinished`: a restore that was cut off goes on. `cluster`: a data directory. */
  readonly existing: 'new' | 'unfinished' | 'cluster';
  /** What is there and will not be: absolute paths; a directory ends with a slash. */
  readonly deletions: readonly string[];
  /** Sentences. */
  readonly notes: readonly string[];
  /** Stands for exactly this. */
  readonly token: string;
}

export interface PostgresRestoreSummary {
  readonly target: string;
  readonly serverVersion: string;
  readonly tablespaces: readonly { readonly oid: number; readonly directory: string }[];
  readonly bytesWritten: number;
  readonly entriesDeleted: number;
  /** Milliseconds of each phase; `recovery` only when the server was started. */
  readonly took: { readonly wal: number; readonly base: number; readonly recovery?: number };
  readonly milliseconds: number;
  /** Where the server came to, when it was started. */
  readonly recovered?: RecoveredTo;
  /** What is left to do, a line each. */
  readonly next: readonly string[];
}

export interface RecoveredTo {
  readonly state: 'promoted' | 'paused';
  readonly lsn: string;
  /** RFC 3339, of the last transaction that was replayed; absent when none was. */
  readonly lastCommit?: string;
}

/** Nothing but the directory and what is beside it is written. */
export type PlanPostgresRestore = (
  access: RepositoryAccess,
  request: PostgresRestoreRequest,
  work: Work,
) => Promise<Planned<PostgresRestorePlan, PostgresRestoreSummary>>;

export function define(parent: Command, context: Context, planRestore: PlanPostgresRestore): void {
  const command = newCommand(parent, {
    usage: 'restore',
    summary: 'bring a server back as of any moment',
    description:
      'Brings a server back from a base and the journal behind it: to the last moment that is known, or to any before. ' +
      'What is going to happen is printed first. A server of the same major version starts on the directory and replays ' +
      'up to the moment by itself; with --start that is done at once, and measured.',
    examples: [
      ['holdfast postgres restore --target /srv/pg', 'everything up to the last moment in the repository'],
      [
        'holdfast postgres restore --target /srv/pg --to "2026-11-21 10:44:07" --start',
        'as of that moment in this machine’s zone, recovered and ready',
      ],
      ['holdfast postgres restore --target /srv/pg --to 0/15D68C8 --exclusive', 'just before a position'],
      [
        'holdfast postgres restore --target /var/lib/pg --delta --dry-run',
        'over a data directory: show what would go, and the token that agrees to it',
      ],
    ],
  });
  command
    .requiredOption('-t, --target <directory>', 'where to; made if it is not there, else empty')
    .option(
      '--to <moment>',
      'latest, immediate, a time, a position such as 0/15D68C8, xid:N or name:NAME',
      'latest',
    )
    .option('--exclusive', 'stop just before that moment instead of just after it')
    .addOption(
      new Option('--action <what>', 'what the server does when it is there')
        .choices(['promote', 'pause'])
        .default('promote'),
    )
    .option('--start', 'start it, wait until it has recovered, stop it again')
    .option(
      '--delta',
      'the target is a data directory: write what differs, remove what the base does not have',
    )
    .option('--other-system', 'write over a data directory of another server')
    .option('--consent <token>', 'agree to the plan that has this token')
    .option('-n, --dry-run', 'print the plan and do nothing')
    .option('--owner <uid[:gid]>', 'whom the files are to belong to (as root; default: as their directory)')
    .option('--tablespace <oid=directory>', 'where a tablespace goes (several times)', collect)
    .option('--limit-download <KiB/s>', 'fetch at most so much', parsePositive)
    .optionsGroup('Of what:')
    .option('--base <id>', 'this base; the best one for the moment unless said')
    .option('--system <id>', 'this server, when the repository has several')
    .option('--timeline <n>', 'this history; the latest unless said', parsePositive);
  endRepositoryCommand(command).action(async () => {
    const request = command.opts<PostgresRestoreRequest>();
    refuseContradictions(request);
    const reader = { now: context.clock.now(), timeZone: context.timeZone };
    const dryRun = request.dryRun === true;
    await runPlanned(command, context, {
      plan: (access, work) => planRestore(access, request, work),
      dryRun,
      showPlan: (plan) => ({
        lines: (style: Style) => renderPostgresPlan(plan, style, { ...reader, dryRun }),
        records: () => [postgresPlanRecord(plan)],
      }),
      consent: (plan) => consentFor(plan, request),
      showOutcome: (summary) => ({
        lines: (style: Style) => renderPostgresRestore(summary, style, reader),
        records: () => [postgresRestoreRecord(summary)],
      }),
    });
  });
}

/** Nothing is lost by writing into a new directory, nor by going on where a restore was cut off. */
function consentFor(plan: PostgresRestorePlan, request: PostgresRestoreRequest): ConsentRequest | undefined {
  if (plan.existing !== 'cluster') return undefined;
  const amount = formatCounted(plan.deletions.length, 'entry', 'entries');
  const loss = `the data directory ${plan.target} would be written over and ${amount} of it deleted`;
  return { loss, token: plan.token, given: request.consent };
}

function refuseContradictions(request: PostgresRestoreRequest): void {
  const { action, to, consent, delta, otherSystem } = request;
  if (action === 'pause' && to === 'latest') {
    throw new Failure('usage', '--action pause needs a moment to pause at: at the end there is none', {
      hint: 'Say with --to which one. At the end of the WAL a server takes writes, whatever it is told.',
    });
  }
  if (delta !== true && (consent !== undefined || otherSystem === true)) {
    throw new Failure('usage', '--consent and --other-system agree to what --delta would write over', {
      hint: 'Into a new or empty directory no consent is needed.',
    });
  }
}
