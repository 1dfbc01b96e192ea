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
import { basePointRecord, renderBasePoints } from '../../render/base-points.ts';
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
}

export type ListBases = (
  access: RepositoryAccess,
  request: SnapshotFilter,
  work: Work,
) => Promise<readonly BasePoint[]>;

export function define(parent: Command, context: Context, listBases: ListBases): void {
  const command = newCommand(parent, {
    usage: 'points',
    summary: 'list the base backups that can be restored',
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
        records: () => points.map(basePointRecord),
      },
      'answer',
    );
  });
}
