import type { StatsMode } from '@holdfast/engine';
import { type Command, Option } from 'commander';
import {
  accessFor,
  endRepositoryCommand,
  newCommand,
  present,
  type Work,
  withProgress,
} from '../../command-frame.ts';
import type { Context } from '../../context.ts';
import {
  type RepositoryStats,
  renderStats,
  STATS_MODES,
  statsRecord,
} from '../../render/repository-stats.ts';
import type { RepositoryAccess } from '../../repository-options.ts';
import { addSnapshotFilter, type SnapshotFilter } from '../../snapshot-filter.ts';

export interface StatsOptions extends SnapshotFilter {
  readonly mode: StatsMode;
}

export interface StatsRequest extends StatsOptions {
  /** Ids, their beginnings or `latest`; none means all. */
  readonly snapshots: readonly string[];
}

export type MeasureRepository = (
  access: RepositoryAccess,
  request: StatsRequest,
  work: Work,
) => Promise<RepositoryStats>;

export function define(parent: Command, context: Context, measureRepository: MeasureRepository): void {
  const command = newCommand(parent, {
    usage: 'stats [point...]',
    summary: 'how much snapshots hold, and what they take',
    examples: [
      ['holdfast repo stats latest', 'how much a restore of the newest would take'],
      ['holdfast repo stats --mode raw-data', 'what the repository takes for all of them'],
    ],
  });
  command.addOption(
    new Option('--mode <mode>', 'what to count').choices(STATS_MODES).default('restore-size'),
  );
  addSnapshotFilter(command);
  endRepositoryCommand(command).action(async (snapshots: string[]) => {
    const access = await accessFor(command, context);
    const request = { ...command.opts<StatsOptions>(), snapshots };
    const stats = await withProgress(command, context, (work) => measureRepository(access, request, work));
    present(
      command,
      context,
      { lines: () => renderStats(stats), records: () => [statsRecord(stats)] },
      'answer',
    );
  });
}
