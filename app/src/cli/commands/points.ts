import type { StoredSnapshot } from '@holdfast/engine';
import type { Command } from 'commander';
import {
  accessFor,
  endRepositoryCommand,
  newCommand,
  present,
  type Work,
  withProgress,
} from '../command-frame.ts';
import type { Context } from '../context.ts';
import { parsePositive } from '../option-values.ts';
import { pointRecord, renderPoints } from '../render/points.ts';
import type { RepositoryAccess } from '../repository-options.ts';
import { addSnapshotFilter, type SnapshotFilter } from '../snapshot-filter.ts';

export interface PointsOptions extends SnapshotFilter {
  /** Only so many of the newest of each host and set of paths. */
  readonly latest?: number;
}

export interface PointsRequest extends PointsOptions {
  /** Ids or their beginnings; none means all. */
  readonly snapshots: readonly string[];
}

export type ListPoints = (
  access: RepositoryAccess,
  request: PointsRequest,
  work: Work,
) => Promise<readonly StoredSnapshot[]>;

export function define(parent: Command, context: Context, listPoints: ListPoints): void {
  const command = newCommand(parent, {
    usage: 'points [point...]',
    summary: 'list what can be restored',
    examples: [
      ['holdfast points --repo /srv/backup', 'everything that this repository can bring back'],
      ['holdfast points --host db-2 --latest 1 --json', 'the newest of one machine, for a program'],
    ],
  });
  addSnapshotFilter(command).option(
    '--latest <n>',
    'only the newest n of each host and paths',
    parsePositive,
  );
  endRepositoryCommand(command).action(async (snapshots: string[]) => {
    const access = await accessFor(command, context);
    const request = { ...command.opts<PointsOptions>(), snapshots };
    const points = await withProgress(command, context, (work) => listPoints(access, request, work));
    present(
      command,
      context,
      {
        lines: (_style, width) =>
          renderPoints(points, { now: context.clock.now(), timeZone: context.timeZone, width }),
        records: () => points.map(pointRecord),
      },
      'answer',
    );
  });
}
