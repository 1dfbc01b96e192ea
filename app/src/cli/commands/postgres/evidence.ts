import { Failure, type Id } from '@holdfast/engine';
import { type Command, InvalidArgumentError } from 'commander';
import {
  accessFor,
  endWritingCommand,
  newCommand,
  present,
  type Work,
  withProgress,
} from '../../command-frame.ts';
import type { Context } from '../../context.ts';
import { formatCounted } from '../../format.ts';
import { collect, collectLists, parseDuration, parseSize } from '../../option-values.ts';
import { evidenceRecord, renderEvidence } from '../../render/postgres-evidence.ts';
import type { RepositoryAccess } from '../../repository-options.ts';
import { addServerOptions, type ServerOptions } from '../../server-options.ts';

export interface EvidenceRequest extends ServerOptions {
  /** All that allow connections when none is named. */
  readonly database?: readonly string[];
  readonly aggregate?: readonly TableAggregate[];
  /** Bytes: up to these sizes rows are hashed, and counted. */
  readonly hashUpTo: number;
  readonly countUpTo: number;
  /** Milliseconds. */
  readonly tableTime: number;
  readonly totalTime: number;
  readonly host?: string;
  readonly tag?: readonly (readonly string[])[];
}

export interface TableAggregate {
  /** `database.schema.table`. */
  readonly table: string;
  readonly sql: string;
}

/** What could not be learnt, why, and what helps. */
export interface UnknownContent {
  /** A database, or `database: schema.table`. */
  readonly subject: string;
  readonly message: string;
  readonly hint?: string;
}

export interface EvidenceSummary {
  readonly snapshot: Id;
  readonly server: string;
  readonly systemId: string;
  readonly databases: readonly {
    readonly name: string;
    readonly lsn: string;
    readonly method: 'slot' | 'log';
  }[];
  /** Tables of which something is known; of these, how many were hashed row by row, and how many looked at in part. */
  readonly tables: number;
  readonly hashed: number;
  readonly sampled: number;
  /** In tables that were counted whole. */
  readonly rows: string;
  readonly unknown: readonly UnknownContent[];
  readonly milliseconds: number;
}

export type TakeEvidence = (
  access: RepositoryAccess,
  request: EvidenceRequest,
  work: Work,
) => Promise<EvidenceSummary>;

const MIB = 2 ** 20;

export function define(parent: Command, context: Context, takeEvidence: TakeEvidence): void {
  const command = newCommand(parent, {
    usage: 'evidence',
    summary: 'write down what a server holds, so that a restore can be compared with it',
    description:
      'Counts and hashes the rows of every table as of an exact position of the server’s log, while it is being written ' +
      'to, and keeps the result in the repository. holdfast postgres verify restores to that position and compares. ' +
      'The role needs REPLICATION and may read the tables (pg_read_all_data); what it may not read is unknown, never good.',
    examples: [
      [
        'holdfast postgres evidence --url postgres://backup@db-1/postgres --repo /srv/backup',
        'of all databases',
      ],
      [
        "holdfast postgres evidence --service shop --database shop --aggregate 'shop.public.orders=sum(amount)'",
        'of one, with a sum that means something to people',
      ],
    ],
  });
  addServerOptions(command)
    .optionsGroup('The evidence:')
    .option('-d, --database <name>', 'only of this database (several times)', collect)
    .option(
      '--aggregate <table=SQL>',
      'a further aggregate, as database.schema.table=sum(amount) (several times)',
      collectAggregates,
    )
    .option('--hash-up-to <size>', 'hash the rows of tables up to this size', parseSize, 256 * MIB)
    .option(
      '--count-up-to <size>',
      'count tables up to this size, look at a sample of larger ones',
      parseSize,
      8192 * MIB,
    )
    .option('--table-time <duration>', 'for one table at most', parseDuration, 60_000)
    .option('--total-time <duration>', 'for all of them at most', parseDuration, 600_000)
    .option('-H, --host <host>', 'the host it is of (default: the server’s)')
    .option('--tag <tags>', 'mark it with further tags, comma separated (several times)', collectLists);
  endWritingCommand(command).action(async () => {
    const access = await accessFor(command, context);
    const request = command.opts<EvidenceRequest>();
    const summary = await withProgress(command, context, (work) => takeEvidence(access, request, work));
    const view = {
      lines: renderEvidence.bind(null, summary),
      records: () => [evidenceRecord(summary)],
    };
    const unknown = summary.unknown.length;
    present(command, context, view, unknown > 0 ? 'answer' : 'confirmation');
    if (unknown > 0) {
      throw new Failure(
        'incomplete',
        `nothing is known of ${formatCounted(unknown, 'table or database', 'tables or databases')}`,
        {
          hint: 'Why, and what helps, is printed above. The evidence of everything else is saved.',
        },
      );
    }
  });
}

function collectAggregates(
  text: string,
  earlier: readonly TableAggregate[] | undefined,
): readonly TableAggregate[] {
  const [, table, sql] = /^([^=]+\.[^=]+\.[^=]+)=(.+)$/s.exec(text) ?? [];
  if (table === undefined || sql === undefined) {
    throw new InvalidArgumentError('It is of the form database.schema.table=sum(amount).');
  }
  return [...(earlier ?? []), { table, sql }];
}
