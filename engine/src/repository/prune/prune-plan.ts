import { Failure } from '../../kernel/failure.ts';
import type { Id } from '../../kernel/id.ts';
import { expiredRecords } from '../forgotten/expiry.ts';
import type { Grace } from '../grace.ts';
import { USUAL_PACK_BYTES } from '../packer.ts';
import type { PackUsage, PruneFacts } from './pack-usage.ts';

export interface PruneOptions {
  /** How much may stay that nobody needs: a percentage of what the repository has afterwards, or bytes. 5 %. */
  readonly maxUnused?: { readonly percent: number } | { readonly bytes: number } | 'unlimited';
  /** How many bytes of packs may be written anew at most. */
  readonly maxRepackBytes?: number;
  /** Write only packs of trees anew: those that every program has at hand. */
  readonly repackCacheableOnly?: boolean;
  /** Write packs anew that hold blobs without compression. */
  readonly repackUncompressed?: boolean;
  /** How large packs are to be, in bytes; many that are much smaller are joined. */
  readonly packSize?: number;
}

export type PruneReason =
  | 'in use'
  | 'unused parts within the limit'
  | 'limit of rewriting reached'
  | 'data, and only trees are rewritten'
  | 'marked, but in use'
  | 'marked not long enough'
  | 'not in use'
  | 'partly in use'
  | 'small'
  | 'uncompressed'
  | 'data and trees mixed';

export interface PlannedPack extends PackUsage {
  /** `wait`: it is marked and stays so. With a grace, what is repacked is marked then, otherwise removed. */
  readonly action: 'keep' | 'repack' | 'mark' | 'wait' | 'remove';
  readonly reason: PruneReason;
}

/** What prune will do: to be shown, then executed once. */
export interface PrunePlan {
  readonly packs: readonly PlannedPack[];
  /** Marked when there is a grace, otherwise removed. */
  readonly unreferenced: PruneFacts['unreferenced'];
  readonly gone: PruneFacts['gone'];
  /** How many small index files become few. */
  readonly indexFiles: number;
  readonly records: PruneFacts['records'];
  /** The records by which nothing can come back any more, which go. */
  readonly expired: readonly Id[];
  /** Undefined: whatever goes, goes at once. */
  readonly grace: Grace | undefined;
  readonly totals: PruneTotals;
  /** Nothing is to be done. */
  readonly idle: boolean;
}

interface Total {
  readonly packs: number;
  readonly bytes: number;
}

export interface PruneTotals {
  readonly before: Total;
  readonly kept: Total;
  /** Read and written anew: `freed` is how much smaller that makes them. */
  readonly repacked: Total & { readonly freed: number };
  /** Now; `unreferenced` ones apart. */
  readonly removed: Total;
  readonly unreferenced: Total;
  /** Marked now, those that are written anew and those that no index names among them. */
  readonly marked: Total;
  /** Marked before; `until` is when the first of them may go, in milliseconds since the epoch. */
  readonly waiting: Total & { readonly until?: number };
  /** What is removed now, and what rewriting saves where nothing is marked, in bytes. */
  readonly freed: number;
  /** What nobody needs and what stays all the same, in bytes. */
  readonly unusedAfter: number;
}

/**
 * Pure. A pack that nobody needs goes: with a grace it is marked first, and removed by a later prune. Of those that are
 * needed in part, the ones that save most for each byte that is moved are written anew, trees first, until what stays
 * unneeded is within the limit. Ten or more small packs are joined.
 */
export function planPrune(facts: PruneFacts, options: PruneOptions = {}, grace?: Grace): PrunePlan {
  const packSize = options.packSize ?? USUAL_PACK_BYTES;
  const planned = new Map<PackUsage, PlannedPack>();
  const decide = (pack: PackUsage, action: PlannedPack['action'], reason: PruneReason) => {
    planned.set(pack, { ...pack, action, reason });
  };
  const candidates: Candidate[] = [];
  for (const pack of facts.packs) {
    const cause = causeToRepack(pack, options);
    if (pack.used.blobs === 0) decide(pack, ...fateOfUnused(pack, grace));
    else if (cause === undefined) {
      decide(pack, 'keep', pack.markedAt === undefined ? 'in use' : 'marked, but in use');
    } else if (options.repackCacheableOnly && pack.type === 'data') {
      decide(pack, 'keep', 'data, and only trees are rewritten');
    } else candidates.push({ pack, cause });
  }
  candidates.push(...smallPacks([...planned.values()], facts, packSize, options));

  let unused = 0;
  for (const { pack } of candidates) unused += wasteOf(pack);
  for (const { action, ...pack } of planned.values()) if (action === 'keep') unused += wasteOf(pack);
  const used = sum(facts.packs, (pack) => pack.used.bytes);
  const mayStay = unusedLimit(used, options.maxUnused ?? { percent: 5 });
  const mayRepack = options.maxRepackBytes ?? Number.POSITIVE_INFINITY;
  let repacked = 0;
  for (const { pack, cause } of candidates.sort(mostUseful)) {
    if (repacked + pack.size > mayRepack) decide(pack, 'keep', 'limit of rewriting reached');
    // Trees are few, and everybody reads them all: they are always worth it. So is what was asked for by name.
    else if (cause === 'partly in use' && pack.type === 'data' && unused <= mayStay) {
      decide(pack, 'keep', 'unused parts within the limit');
    } else {
      decide(pack, 'repack', cause);
      repacked += pack.size;
      unused -= wasteOf(pack);
    }
  }
  const packs = facts.packs.map((pack) => planned.get(pack)).filter((pack) => pack !== undefined);
  return assemble({ ...facts, packs, grace }, unused);
}

/**
 * Pure: the plan as it is when some packs have to stay after all, since somebody came to need them while it was made.
 * Those that were written anew are there twice then; the next prune sees to that.
 */
export function withoutRemoving(plan: PrunePlan, needed: ReadonlySet<Id>): PrunePlan {
  if (needed.size === 0) return plan;
  const packs = plan.packs.map((pack): PlannedPack => {
    if (pack.action === 'keep' || !needed.has(pack.id)) return pack;
    return { ...pack, action: 'keep', reason: pack.markedAt === undefined ? 'in use' : 'marked, but in use' };
  });
  const unreferenced = plan.unreferenced.filter(({ id }) => !needed.has(id));
  const gone = plan.gone.filter((id) => !needed.has(id));
  return assemble({ ...plan, packs, unreferenced, gone }, plan.totals.unusedAfter);
}

/** A mark from the future says that somebody's clock is wrong: its time begins now. */
function fateOfUnused(
  { markedAt }: PackUsage,
  grace: Grace | undefined,
): readonly [PlannedPack['action'], PruneReason] {
  if (grace === undefined) return ['remove', 'not in use'];
  if (markedAt === undefined || markedAt > grace.now) return ['mark', 'not in use'];
  return markedAt + grace.keep > grace.now ? ['wait', 'marked not long enough'] : ['remove', 'not in use'];
}

interface Candidate {
  readonly pack: PackUsage;
  readonly cause: PruneReason;
}

function causeToRepack(pack: PackUsage, options: PruneOptions): PruneReason | undefined {
  if (pack.type === 'mixed') return 'data and trees mixed';
  if (options.repackUncompressed && pack.uncompressed) return 'uncompressed';
  return wasteOf(pack) > 0 ? 'partly in use' : undefined;
}

/** Packs that are whole but small, when there are enough of a type that joining them leaves clearly fewer. */
function smallPacks(
  planned: readonly PlannedPack[],
  facts: PruneFacts,
  packSize: number,
  options: PruneOptions,
): Candidate[] {
  const kept = new Set(planned.filter(({ reason }) => reason === 'in use').map(({ id }) => id));
  const small = facts.packs.filter((pack) => kept.has(pack.id) && pack.size < packSize / SMALL_PART);
  return (['tree', 'data'] as const).flatMap((type) => {
    const ofType = small.filter((pack) => pack.type === type);
    const allowed = type === 'tree' || !options.repackCacheableOnly;
    return allowed && ofType.length >= WORTH_JOINING
      ? ofType.map((pack) => ({ pack, cause: 'small' as const }))
      : [];
  });
}

/** Trees first, then what was asked for or is small, then by the share that is not needed. */
function mostUseful(a: Candidate, b: Candidate): number {
  return (
    Number(a.pack.type === 'data') - Number(b.pack.type === 'data') ||
    Number(a.cause === 'partly in use') - Number(b.cause === 'partly in use') ||
    wasteOf(b.pack) / b.pack.size - wasteOf(a.pack) / a.pack.size ||
    (a.pack.id < b.pack.id ? -1 : 1)
  );
}

function unusedLimit(used: number, limit: NonNullable<PruneOptions['maxUnused']>): number {
  if (limit === 'unlimited') return Number.POSITIVE_INFINITY;
  if ('bytes' in limit) return limit.bytes;
  if (limit.percent < 0 || limit.percent > 100) {
    throw new Failure('usage', `${limit.percent} % of a repository cannot be unused`, {
      hint: 'Give a percentage from 0 to 100, a size, or unlimited.',
    });
  }
  // Of what there is afterwards: unused / (used + unused) is at most the percentage.
  return limit.percent === 100 ? Number.POSITIVE_INFINITY : (used * limit.percent) / (100 - limit.percent);
}

type Decided = Pick<PrunePlan, 'packs' | 'unreferenced' | 'gone' | 'indexFiles' | 'records' | 'grace'>;

function assemble(
  { packs, unreferenced, gone, indexFiles, records, grace }: Decided,
  unusedAfter: number,
): PrunePlan {
  const having = (...actions: PlannedPack['action'][]) =>
    packs.filter(({ action }) => actions.includes(action));
  const repacked = having('repack');
  const removed = totalOf(having('remove'));
  const strays = totalOf(unreferenced);
  const repackFreed = sum(repacked, wasteOf);
  const inIndex = totalOf(packs);
  const marked = totalOf(grace === undefined ? [] : [...having('mark', 'repack'), ...unreferenced]);
  const expired = expiredRecords(records, {
    grace,
    ending: having('remove').map(({ markedAt = 0 }) => markedAt),
    more: marked.packs > 0 || having('wait').length > 0,
  });
  return {
    packs,
    unreferenced,
    gone,
    indexFiles,
    records,
    expired,
    grace,
    totals: {
      before: { packs: inIndex.packs + strays.packs, bytes: inIndex.bytes + strays.bytes },
      kept: totalOf(having('keep')),
      repacked: { ...totalOf(repacked), freed: repackFreed },
      removed,
      unreferenced: strays,
      marked,
      waiting: { ...totalOf(having('wait')), ...firstToGo(having('wait'), grace) },
      freed: removed.bytes + (grace === undefined ? strays.bytes + repackFreed : 0),
      unusedAfter,
    },
    idle:
      unreferenced.length === 0 &&
      gone.length === 0 &&
      expired.length === 0 &&
      indexFiles === 0 &&
      packs.every(
        ({ action, markedAt }) => action === 'wait' || (action === 'keep' && markedAt === undefined),
      ),
  };
}

function firstToGo(waiting: readonly PlannedPack[], grace: Grace | undefined): { until?: number } {
  if (grace === undefined || waiting.length === 0) return {};
  const oldest = waiting.reduce((first, { markedAt = first }) => Math.min(first, markedAt), grace.now);
  return { until: oldest + grace.keep };
}

function wasteOf(pack: Pick<PackUsage, 'unused' | 'duplicate'>): number {
  return pack.unused.bytes + pack.duplicate.bytes;
}

function totalOf(packs: readonly { readonly size: number }[]): Total {
  return { packs: packs.length, bytes: sum(packs, ({ size }) => size) };
}

function sum<Item>(items: readonly Item[], bytes: (item: Item) => number): number {
  return items.reduce((total, item) => total + bytes(item), 0);
}

const SMALL_PART = 4;
const WORTH_JOINING = 10;
