import { Failure, type FoundObject, type StoredSnapshot, shortId } from '@holdfast/engine';
import type { Command } from 'commander';
import { accessFor, endRepositoryCommand, newCommand } from '../../command-frame.ts';
import type { Context } from '../../context.ts';
import { formatTime } from '../../format.ts';
import { globalOptionsOf } from '../../global-options.ts';
import { writeLines } from '../../line-stream.ts';
import { collect, parseMoment } from '../../option-values.ts';
import { type Entry, renderEntry } from '../../render/entries.ts';
import { momentOf } from '../../render/points.ts';
import type { RepositoryAccess } from '../../repository-options.ts';
import { addSnapshotFilter, type SnapshotFilter } from '../../snapshot-filter.ts';
import { printable } from '../../width.ts';

export interface FindOptions extends SnapshotFilter {
  readonly ignoreCase?: true;
  readonly long?: true;
  /** Milliseconds since the epoch. */
  readonly newest?: number;
  readonly oldest?: number;
  /** Ids, their beginnings or `latest`; absent means all. */
  readonly snapshot?: readonly string[];
  readonly blob?: true;
  readonly tree?: true;
  readonly pack?: true;
}

export interface FindRequest extends FindOptions {
  readonly patterns: readonly string[];
}

/** An entry found by its name, or the place where a piece, a listing or a part of a pack is used. */
export type Match =
  | { readonly snapshot: StoredSnapshot; readonly entry: Entry }
  | { readonly snapshot: StoredSnapshot; readonly object: FoundObject };

/** Yields the matches of one snapshot after another. */
export type FindEntries = (
  access: RepositoryAccess,
  request: FindRequest,
  signal: AbortSignal,
) => AsyncIterable<Match>;

export function define(parent: Command, context: Context, findEntries: FindEntries): void {
  const command = newCommand(parent, {
    usage: 'find <pattern...>',
    summary: 'find files by name in all snapshots',
    examples: [
      ['holdfast repo find "*.sql"', 'in which snapshots they are'],
      ['holdfast repo find -i -l letter.odt --newest "2026-11-01 00:00:00"', 'not changed since November'],
      ['holdfast repo find --blob 1a2b3c4d', 'which files hold a piece'],
    ],
  });
  const moment = parseMoment(context.timeZone);
  command
    .option('-i, --ignore-case', 'upper and lower case alike')
    .option('-l, --long', 'with mode, owner, size and time')
    .option('-N, --newest <time>', 'modified at this time or before', moment)
    .option('-O, --oldest <time>', 'modified at this time or after', moment)
    .option('-s, --snapshot <point>', 'only in this one (several times)', collect)
    .option('--blob', 'the pattern is the id of a piece of data')
    .option('--tree', 'the pattern is the id of a directory listing')
    .option('--pack', 'the pattern is the id of a pack file');
  addSnapshotFilter(command);
  endRepositoryCommand(command).action(async (patterns: string[]) => {
    const request = { ...command.opts<FindOptions>(), patterns };
    const kinds = [request.blob, request.tree, request.pack].filter((given) => given === true);
    if (kinds.length > 1) throw new Failure('usage', 'only one of --blob, --tree and --pack can be meant');
    const access = await accessFor(command, context);
    const { json } = globalOptionsOf(command);
    const matches = findEntries(access, request, context.signal);
    await writeLines(
      context.stdout,
      json ? matchRecords(matches) : matchLines(matches, request.long === true, context.timeZone),
    );
  });
}

async function* matchLines(
  matches: AsyncIterable<Match>,
  long: boolean,
  timeZone: string,
): AsyncGenerator<string> {
  let last: string | undefined;
  for await (const match of matches) {
    const { snapshot } = match;
    if (snapshot.id !== last) {
      if (last !== undefined) yield '';
      yield `In ${shortId(snapshot.id)} of ${formatTime(momentOf(snapshot), timeZone)}`;
      last = snapshot.id;
    }
    yield `  ${'entry' in match ? renderEntry(match.entry, long, timeZone) : renderObject(match.object)}`;
  }
}

function renderObject({ type, id, path, pack }: FoundObject): string {
  const origin = pack === undefined ? '' : ` of pack ${shortId(pack)}`;
  return `${type} ${shortId(id)}${origin}  ${printable(path)}`;
}

async function* matchRecords(matches: AsyncIterable<Match>): AsyncGenerator<string> {
  for await (const match of matches) {
    const { id, time } = match.snapshot;
    const found =
      'entry' in match
        ? { ...match.entry, kind: match.entry.type }
        : { path: match.object.path, kind: match.object.type, id: match.object.id, pack: match.object.pack };
    yield JSON.stringify({ ...found, type: 'match', snapshot: id, time });
  }
}
