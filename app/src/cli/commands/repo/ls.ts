import type { Command } from 'commander';
import { accessFor, endRepositoryCommand, newCommand } from '../../command-frame.ts';
import type { Context } from '../../context.ts';
import { globalOptionsOf } from '../../global-options.ts';
import { writeLines } from '../../line-stream.ts';
import { type Entry, renderEntry } from '../../render/entries.ts';
import type { RepositoryAccess } from '../../repository-options.ts';
import { addSnapshotFilter, type SnapshotFilter } from '../../snapshot-filter.ts';

export interface LsOptions extends SnapshotFilter {
  readonly long?: true;
  readonly recursive?: true;
}

export interface LsRequest extends LsOptions {
  /** An id, its beginning or `latest`. */
  readonly snapshot: string;
  /** Absolute; none means the whole snapshot. */
  readonly directories: readonly string[];
}

export type ListEntries = (
  access: RepositoryAccess,
  request: LsRequest,
  signal: AbortSignal,
) => AsyncIterable<Entry>;

export function define(parent: Command, context: Context, listEntries: ListEntries): void {
  const command = newCommand(parent, {
    usage: 'ls <point> [directory...]',
    summary: 'list the files of a snapshot',
    examples: [
      ['holdfast repo ls latest', 'every file of the newest'],
      ['holdfast repo ls -l latest /etc', 'one directory, with sizes, owners and times'],
    ],
  });
  command
    .option('-l, --long', 'with mode, owner, size and time')
    .option('--recursive', 'of the given directories, what is below as well');
  addSnapshotFilter(command);
  endRepositoryCommand(command).action(async (snapshot: string, directories: string[]) => {
    const access = await accessFor(command, context);
    const request = { ...command.opts<LsOptions>(), snapshot, directories };
    const { json } = globalOptionsOf(command);
    const entries = listEntries(access, request, context.signal);
    await writeLines(context.stdout, entryLines(entries, request.long === true, json, context.timeZone));
  });
}

async function* entryLines(
  entries: AsyncIterable<Entry>,
  long: boolean,
  json: boolean,
  timeZone: string,
): AsyncGenerator<string> {
  for await (const entry of entries) {
    yield json
      ? JSON.stringify({ ...entry, type: 'entry', kind: entry.type })
      : renderEntry(entry, long, timeZone);
  }
}
