import type { Id } from '@holdfast/engine';
import type { Command } from 'commander';
import {
  accessFor,
  endRepositoryCommand,
  newCommand,
  present,
  type Work,
  withProgress,
} from '../../command-frame.ts';
import type { Context } from '../../context.ts';
import { pointRecords, renderBasePoints } from '../../render/base-points.ts';
import type { RepositoryAccess } from '../../repository-options.ts';
import { addSnapshotFilter, type SnapshotFilter } from '../../snapshot-filter.ts';

/** A base that can be restored. */
export interface BasePoint {
  readonly snapshot: Id;
  readonly host: string;
  readonly server: string;
  readonly serverVersion: string;
  readonly systemId: string;
  readonly timeline: number;
  readonly startLsn: string;
  readonly endLsn: string;
  /** RFC 3339; the moment that the base alone brings back. */
  readonly endedAt: string;
  /** Bytes. */
  readonly size: number;
  /** The journal leads on from here without a hole, up to this moment; absent when none follows. */
  readonly until?: JournalMoment;
}

export interface JournalMoment {
  readonly lsn: string;
  /** RFC 3339. */
  readonly time: string;
}

/** Changes that the journal lacks: nothing in between can be restored. */
export interface GapPoint {
  readonly systemId: string;
  readonly from: JournalMoment;
  readonly to: JournalMoment;
}

export interface PostgresPoints {
  readonly bases: readonly BasePoint[];
  readonly gaps: readonly GapPoint[];
}

export type ListBases = (
  access: RepositoryAccess,
  request: SnapshotFilter,
  work: Work,
) => Promise<PostgresPoints>;

export function define(parent: Command, context: Context, listBases: ListBases): void {
  const command = newCommand(parent, {
    usage: 'points',
    summary: 'list the base backups that can be restored, and up to when',
    examples: [['holdfast postgres points --repo /srv/backup', 'every base of every server in it']],
  });
  addSnapshotFilter(command);
  endRepositoryCommand(command).action(async () => {
    const access = await accessFor(command, context);
    const request = command.opts<SnapshotFilter>();
    const points = await withProgress(command, context, (work) => listBases(access, request, work));
    const reader = { now: context.clock.now(), timeZone: context.timeZone };
    present(
      command,
      context,
      {
        lines: (_style, width) => renderBasePoints(points, { ...reader, width }),
        records: () => pointRecords(points),
      },
      'answer',
    );
  });
}
