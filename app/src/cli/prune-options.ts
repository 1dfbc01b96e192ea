import { type Command, InvalidArgumentError } from 'commander';
import { parseDuration, parseSize } from './option-values.ts';

/** How much unused data may stay: a share of what is used, bytes, or all of it. */
export type UnusedLimit =
  | { readonly kind: 'share'; readonly share: number }
  | { readonly kind: 'bytes'; readonly bytes: number }
  | { readonly kind: 'unlimited' };

export interface PruneOptions {
  readonly maxUnused: UnusedLimit;
  /** Bytes. */
  readonly maxRepackSize?: number;
  /** Milliseconds that packs stay marked before they are removed. */
  readonly keepDelete: number;
  /** Nothing is marked: what goes goes at once, and nobody may work beside it. */
  readonly instantDelete?: true;
  readonly repackCacheableOnly?: true;
  readonly repackUncompressed?: true;
}

export function addPruneOptions(command: Command): Command {
  const tolerated: UnusedLimit = { kind: 'share', share: 0.05 };
  return command
    .optionsGroup('Pruning:')
    .option(
      '--max-unused <limit>',
      'unused data that may stay: 5%, 500M or unlimited (default: 5%)',
      parseUnusedLimit,
    )
    .option('--max-repack-size <size>', 'rewrite at most this much', parseSize)
    .option('--keep-delete <duration>', 'remove what was marked so long ago (default: 23h)', parseDuration)
    .option('--instant-delete', 'mark nothing, remove at once; nobody can work meanwhile')
    .option('--repack-cacheable-only', 'rewrite only packs of directory listings')
    .option('--repack-small', 'no effect: packs far below the wanted size are always joined')
    .option('--repack-uncompressed', 'rewrite what is not compressed yet')
    .setOptionValueWithSource('maxUnused', tolerated, 'default')
    .setOptionValueWithSource('keepDelete', KEEP_DELETE_MS, 'default');
}

export function parseUnusedLimit(text: string): UnusedLimit {
  if (text === 'unlimited') return { kind: 'unlimited' };
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(text);
  if (percent === null) return { kind: 'bytes', bytes: parseSize(text) };
  const share = Number(percent[1]) / 100;
  if (share >= 1) throw new InvalidArgumentError('It is below 100 %; to keep all unused data say unlimited.');
  return { kind: 'share', share };
}

/** Less than a day: a prune a day removes what the one before has marked. */
const KEEP_DELETE_MS = 23 * 3_600_000;
