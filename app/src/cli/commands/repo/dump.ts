import { Failure } from '@holdfast/engine';
import type { Command } from 'commander';
import { accessFor, endRepositoryCommand, newCommand } from '../../command-frame.ts';
import type { Context } from '../../context.ts';
import type { RepositoryAccess } from '../../repository-options.ts';
import { addSnapshotFilter, type SnapshotFilter } from '../../snapshot-filter.ts';

export interface DumpRequest extends SnapshotFilter {
  /** An id, its beginning or `latest`. */
  readonly snapshot: string;
  /** Absolute, of a file or a directory. */
  readonly file: string;
}

/** Disposed of when it was read, or when it is not wanted after all. */
export interface DumpedContent extends AsyncDisposable {
  /** A directory comes as a tar archive. */
  readonly kind: 'file' | 'archive';
  readonly bytes: AsyncIterable<Uint8Array>;
}

export type DumpContent = (
  access: RepositoryAccess,
  request: DumpRequest,
  signal: AbortSignal,
) => Promise<DumpedContent>;

export function define(parent: Command, context: Context, dumpContent: DumpContent): void {
  const command = newCommand(parent, {
    usage: 'dump <point> <file>',
    summary: 'print a file, or a directory as a tar archive',
    examples: [
      ['holdfast repo dump latest /etc/fstab', 'look at a file as it was'],
      ['holdfast repo dump latest /srv/www | tar -t', 'a directory as an archive'],
      ['holdfast repo dump latest /shop.sql | psql shop', 'straight into another program'],
    ],
  });
  addSnapshotFilter(command);
  endRepositoryCommand(command).action(async (snapshot: string, file: string) => {
    const access = await accessFor(command, context);
    const request = { ...command.opts<SnapshotFilter>(), snapshot, file };
    await using content = await dumpContent(access, request, context.signal);
    if (content.kind === 'archive' && context.stdout.terminal.interactive) {
      throw new Failure('usage', 'an archive on a terminal is of no use', {
        hint: 'Send it to a file: … > files.tar',
      });
    }
    for await (const bytes of content.bytes) await context.stdout.writeBytes(bytes);
  });
}
