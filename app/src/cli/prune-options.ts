import { type Command, InvalidArgumentError } from 'commander';
import { parseSize } from './option-values.ts';

/** How much unused data may stay: a share of what is used, bytes, or all of it. */
export type UnusedLimit =
  | { readonly kind: 'share'; readonly share: number }
  | { readonly kind: 'bytes'; readonly bytes: number }
  | { readonly kind: 'unlimited' };

export interface PruneOptions {
  readonly maxUnused: UnusedLimit;
  /** Bytes. */
  readonly maxRepackSize?: number;
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
    .option('--repack-cacheable-only', 'rewrite only packs of directory listings')
    .option('--repack-small', 'no effect: packs far below the wanted size are always joined')
    .option('--repack-uncompressed', 'rewrite what is not compressed yet')
    .setOptionValueWithSource('maxUnused', tolerated, 'default');
}

export function parseUnusedLimit(text: string): UnusedLimit {
  if (text === 'unlimited') return { kind: 'unlimited' };
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(text);
  if (percent === null) return { kind: 'bytes', bytes: parseSize(text) };
  const share = Number(percent[1]) / 100;
  if (share >= 1) throw new InvalidArgumentError('It is below 100 %; to keep all unused data say unlimited.');
  return { kind: 'share', share };
}
