import type { Random } from '../../kernel/clock.ts';
import { Failure } from '../../kernel/failure.ts';
import type { Id } from '../../kernel/id.ts';
import type { ReadData } from './report.ts';

interface SizedPack {
  readonly id: Id;
  /** In bytes. */
  readonly size: number;
}

/**
 * Pure: which packs to read. A random part is never empty when there are packs, so that a small percentage of a small
 * repository still reads something. Throws `usage` for a part that is none.
 */
export function choosePacks<Pack extends SizedPack>(
  packs: readonly Pack[],
  part: ReadData,
  random: Random,
): Pack[] {
  if (part === 'none') return [];
  if (part === 'all') return [...packs];
  if ('of' in part) return bucket(packs, part);
  if ('percent' in part) {
    require(part.percent > 0 && part.percent <= 100, `${part.percent} % is no part of a repository`);
    const count = Math.max(1, Math.floor((packs.length * part.percent) / 100));
    return shuffle(packs, random).slice(0, count);
  }
  require(part.bytes > 0, `${part.bytes} bytes are no part of a repository`);
  return upTo(shuffle(packs, random), part.bytes);
}

/** As restic divides them, by the first byte of the name: the parts of both programs are the same. */
function bucket<Pack extends SizedPack>(
  packs: readonly Pack[],
  { n, of }: { readonly n: number; readonly of: number },
): Pack[] {
  require(Number.isInteger(n) &&
    Number.isInteger(of) &&
    n >= 1 &&
    n <= of &&
    of <= 256, `part ${n}/${of} does not exist: a repository has at most 256 parts, counted from 1`);
  return packs.filter(({ id }) => Number.parseInt(id.slice(0, 2), 16) % of === n - 1);
}

/** Packs until `bytes` are reached, the one that reaches them included. */
function upTo<Pack extends SizedPack>(packs: readonly Pack[], bytes: number): Pack[] {
  const chosen: Pack[] = [];
  let sum = 0;
  for (const pack of packs) {
    if (sum >= bytes) break;
    chosen.push(pack);
    sum += pack.size;
  }
  return chosen;
}

function shuffle<Item>(items: readonly Item[], random: Random): Item[] {
  return items
    .map((item) => ({ item, order: random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}

function require(condition: boolean, message: string): void {
  if (condition) return;
  throw new Failure('usage', message, { hint: 'Give a part such as 5%, 1/10 or 500M.' });
}
