import { dumpPath, Failure, type IndexedRepository, type StoredSnapshot } from '@holdfast/engine';
import { z } from 'zod';

/** Where evidence lies in its snapshot. */
export const EVIDENCE_FILE = 'holdfast/evidence.json';

/** What marks evidence among a repository's snapshots. */
export const EVIDENCE_TAGS: readonly string[] = ['postgres', 'evidence'];

/** The blocks that TABLESAMPLE SYSTEM chooses; a physical copy has the same rows in the same blocks. */
const sample = z.strictObject({
  /** Above 0, at most 100. */
  percent: z.number(),
  seed: z.int(),
});

export type Sample = z.infer<typeof sample>;

const table = z.strictObject({ schema: z.string(), name: z.string() });

/** Numbers of any size as decimal text. */
const countedTable = table.extend({
  rows: z.string(),
  /** The sum of a 64-bit hash of every row as text. Absent where only rows were counted. */
  content: z.string().optional(),
  /** Further SQL aggregates and what they were. */
  aggregates: z.record(z.string(), z.string().nullable()).optional(),
  /** Where not the whole table was looked at. */
  sample: sample.optional(),
});

const uncountedTable = table.extend({
  /** Why nothing is known, as a code, as a sentence, and what helps. */
  unknown: z.enum(['privilege', 'row-security', 'time', 'locked', 'rewritten', 'failed']),
  message: z.string(),
  hint: z.string().optional(),
});

const sampledDatabase = z.strictObject({
  name: z.string(),
  /** Exactly the transactions are in it whose commit record lies before this position. */
  lsn: z.string(),
  /** `slot`: exact, says the server. `log`: exact unless one of `inProgress` had committed: the copy knows. */
  method: z.enum(['slot', 'log']),
  /** Transactions (64 bits, decimal) that were not visible although begun. */
  inProgress: z.array(z.string()).optional(),
  collate: z.string(),
  ctype: z.string(),
  collationVersion: z.string().optional(),
  extensions: z.array(z.strictObject({ name: z.string(), version: z.string() })),
  tables: z.array(z.union([countedTable, uncountedTable])),
  /** Tables without content in a physical copy. */
  leftOut: z.strictObject({ unlogged: z.int(), foreign: z.int() }),
});

const unsampledDatabase = z.strictObject({
  name: z.string(),
  /** Why nothing is known of it, and what helps. */
  unknown: z.string(),
  hint: z.string().optional(),
});

/** What `/holdfast/evidence.json` says: the content of a server at positions of its log, as far as it could be learnt. */
export const evidence = z.object({
  /** Of this file's layout. */
  version: z.literal(1),
  systemId: z.string(),
  major: z.int(),
  timeline: z.int(),
  /** RFC 3339, by this machine's clock. */
  startedAt: z.string(),
  endedAt: z.string(),
  /** Host, port, user and database; never a password. */
  server: z.string(),
  role: z.string(),
  databases: z.array(z.union([sampledDatabase, unsampledDatabase])),
});

export type Evidence = z.infer<typeof evidence>;
export type DatabaseEvidence = Evidence['databases'][number];
export type SampledDatabase = z.infer<typeof sampledDatabase>;
export type TableEvidence = SampledDatabase['tables'][number];
export type CountedTable = z.infer<typeof countedTable>;
export type UncountedTable = z.infer<typeof uncountedTable>;

export function isSampled(database: DatabaseEvidence): database is SampledDatabase {
  return 'lsn' in database;
}

export function isCounted(found: TableEvidence): found is CountedTable {
  return 'rows' in found;
}

/** What a snapshot of ours holds. `source.unsupported` when a newer Holdfast wrote it, or when it is none of ours. */
export async function readEvidence(
  indexed: IndexedRepository,
  snapshot: StoredSnapshot,
  signal?: AbortSignal,
): Promise<Evidence> {
  const { bytes } = await dumpPath(indexed, snapshot.tree, EVIDENCE_FILE, {
    // Only of folders is anything left out.
    onProblem: () => undefined,
    ...(signal === undefined ? {} : { signal }),
  });
  const parsed = evidence.safeParse(JSON.parse(Buffer.concat(await Array.fromAsync(bytes)).toString()));
  if (parsed.success) return parsed.data;
  throw new Failure('source.unsupported', 'what is recorded as evidence cannot be understood', {
    subject: `snapshot ${snapshot.id.slice(0, 8)}:/${EVIDENCE_FILE}`,
    hint: 'Was this evidence taken by a newer Holdfast?',
    cause: parsed.error,
  });
}
