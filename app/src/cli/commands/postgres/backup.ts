import { Failure, type Finding, type Id, type SnapshotSummary, shortId } from '@holdfast/engine';
import { type Command, Option } from 'commander';
import {
  accessFor,
  endWritingCommand,
  newCommand,
  present,
  type Work,
  withProgress,
} from '../../command-frame.ts';
import type { Context } from '../../context.ts';
import { collectLists, parsePositive } from '../../option-values.ts';
import { baseSummaryRecords, renderBaseSummary } from '../../render/base-summary.ts';
import type { RepositoryAccess } from '../../repository-options.ts';
import { addServerOptions, type ServerOptions } from '../../server-options.ts';
import type { EvidenceSummary } from './evidence.ts';

export interface BackUpBaseRequest extends ServerOptions {
  readonly checkpoint: 'fast' | 'spread';
  /** KiB/s. */
  readonly maxRate?: number;
  readonly acceptDamage?: true;
  readonly full?: true;
  readonly compression: 'auto' | 'off' | 'max';
  readonly evidence: boolean;
  readonly host?: string;
  readonly tag?: readonly (readonly string[])[];
}

export interface BaseSummary {
  readonly snapshot: Id;
  readonly server: string;
  /** `18.4`. */
  readonly serverVersion: string;
  readonly systemId: string;
  readonly timeline: number;
  readonly startLsn: string;
  readonly endLsn: string;
  /** Whether the server sent everything, or what has changed since the base `since`. */
  readonly sent: 'everything' | 'changes';
  readonly since?: Id;
  /** Bytes of files that came from the server. */
  readonly sentBytes: number;
  /** Why it sent everything, and what would help, unless it was asked to. */
  readonly fullBecause?: { readonly message: string; readonly hint?: string };
  /** Of the pages that were sent. Absent where pages have no checksums. */
  readonly pagesVerified?: number;
  /** What is wrong with the base or missing from it; errors only where damage was accepted. */
  readonly findings: readonly Finding[];
  readonly figures: SnapshotSummary;
  /** Absent when it was not asked for. */
  readonly evidence?: BaseEvidence;
  readonly milliseconds: number;
}

/** What was learnt right after the base, or why nothing was. */
export type BaseEvidence = EvidenceSummary | { readonly missing: string; readonly hint?: string };

export type BackUpBase = (
  access: RepositoryAccess,
  request: BackUpBaseRequest,
  work: Work,
) => Promise<BaseSummary>;

export function define(parent: Command, context: Context, backUpBase: BackUpBase): void {
  const command = newCommand(parent, {
    usage: 'backup',
    summary: 'take a base backup of a PostgreSQL server',
    description:
      'Takes a base backup over the replication protocol: nothing is installed on the server, and the role needs LOGIN ' +
      'and REPLICATION alone. Every file is compared with the server’s own list, every page with its checksum. What the ' +
      'repository has already is not stored again. A server of version 17 or newer with summarize_wal on sends only what ' +
      'has changed since the last base; the snapshot is whole all the same.',
    examples: [
      ['holdfast postgres backup --url postgres://backup@db-1/postgres --repo /srv/backup', 'a base backup'],
      [
        'holdfast postgres backup --service shop --accept-damage',
        'while the disk of the server fails: the base as it is, and which pages are damaged',
      ],
      ['holdfast postgres backup --service shop --checkpoint spread --max-rate 51200', 'gently, at 50 MiB/s'],
    ],
  });
  addServerOptions(command)
    .optionsGroup('The backup:')
    .addOption(
      new Option('--checkpoint <how>', 'begin at once, or wait for a checkpoint that nobody feels')
        .choices(['fast', 'spread'])
        .default('fast'),
    )
    .option('--max-rate <KiB/s>', 'let the server send at most so much', parsePositive)
    .option('--full', 'let the server send everything, even where the changes would do')
    .option(
      '--accept-damage',
      'keep the base even if pages are damaged on the server (ends with exit code 3)',
    )
    .addOption(
      new Option('--compression <mode>', 'how hard to compress new data')
        .choices(['auto', 'off', 'max'])
        .default('auto'),
    )
    .option('--no-evidence', 'do not write down what the server holds (a minute at most, after the base)')
    .option('-H, --host <host>', 'the host it is of (default: the server’s)')
    .option('--tag <tags>', 'mark it with further tags, comma separated (several times)', collectLists);
  endWritingCommand(command).action(async () => {
    const access = await accessFor(command, context);
    const request = command.opts<BackUpBaseRequest>();
    const summary = await withProgress(command, context, (work) => backUpBase(access, request, work));
    const view = {
      lines: renderBaseSummary.bind(null, summary),
      records: () => baseSummaryRecords(summary),
    };
    present(command, context, view, 'confirmation');
    const damaged = summary.findings.filter(({ severity }) => severity === 'error');
    if (damaged.length > 0) {
      throw new Failure('incomplete', `base ${shortId(summary.snapshot)} holds damaged pages`, {
        subject: damaged[0]?.subject ?? summary.server,
        hint: 'It is kept as it came. Earlier bases may hold these pages whole: holdfast postgres points.',
      });
    }
  });
}
