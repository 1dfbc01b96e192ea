import type { Command } from 'commander';
import { accessFor, endRepositoryCommand, newCommand } from '../../command-frame.ts';
import type { Context } from '../../context.ts';
import { globalOptionsOf } from '../../global-options.ts';
import { writeLines } from '../../line-stream.ts';
import { type Change, type ChangeSummary, renderChange, renderChangeSummary } from '../../render/changes.ts';
import type { RepositoryAccess } from '../../repository-options.ts';

export interface DiffOptions {
  readonly metadata?: true;
}

export interface DiffRequest extends DiffOptions {
  /** Ids, their beginnings or `latest`, perhaps with `:folder` behind. */
  readonly before: string;
  readonly after: string;
}

/** Yields changes in the order of paths and returns the sum of them. */
export type CompareSnapshots = (
  access: RepositoryAccess,
  request: DiffRequest,
  signal: AbortSignal,
) => AsyncGenerator<Change, ChangeSummary>;

export function define(parent: Command, context: Context, compareSnapshots: CompareSnapshots): void {
  const command = newCommand(parent, {
    usage: 'diff <before> <after>',
    summary: 'what changed between two snapshots',
    description: 'What changed between two snapshots: + added, - removed, M content, T type, U metadata.',
    examples: [
      ['holdfast repo diff 1a2b3c4d latest', 'which files came, went and changed'],
      ['holdfast repo diff 1a2b3c4d latest --metadata', 'and whose owner, mode or times did'],
    ],
  });
  command.option('--metadata', 'show changes of metadata as well');
  endRepositoryCommand(command).action(async (before: string, after: string) => {
    const access = await accessFor(command, context);
    const request = { ...command.opts<DiffOptions>(), before, after };
    const changes = compareSnapshots(access, request, context.signal);
    await writeLines(
      context.stdout,
      globalOptionsOf(command).json ? changeRecords(changes) : changeLines(changes),
    );
  });
}

async function* changeLines(changes: AsyncGenerator<Change, ChangeSummary>): AsyncGenerator<string> {
  yield* renderChangeSummary(yield* mapped(changes, renderChange));
}

async function* changeRecords(changes: AsyncGenerator<Change, ChangeSummary>): AsyncGenerator<string> {
  const summary = yield* mapped(changes, (change) => JSON.stringify({ type: 'change', ...change }));
  yield JSON.stringify({ type: 'summary', ...summary });
}

/** Closes the source also when the reader stops early. */
async function* mapped<T, Sum>(
  source: AsyncGenerator<T, Sum>,
  line: (item: T) => string,
): AsyncGenerator<string, Sum> {
  let finished = false;
  try {
    for (;;) {
      const next = await source.next();
      if (next.done === true) {
        finished = true;
        return next.value;
      }
      yield line(next.value);
    }
  } finally {
    // Only the sum is lost by closing early, and then nobody wants it.
    if (!finished) await source.return(undefined as never);
  }
}
