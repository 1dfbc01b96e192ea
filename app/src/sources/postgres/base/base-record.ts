import { dumpPath, Failure, type IndexedRepository, type StoredSnapshot } from '@holdfast/engine';
import { z } from 'zod';

/** What marks a base among a repository's snapshots. */
export const BASE_TAGS: readonly string[] = ['postgres', 'base'];

/** Where things lie in a base's snapshot. */
export const BASE_FOLDER = 'base';
export const RECORD_FILE = 'holdfast/server.json';
export const CONFIGURATION_FOLDER = 'holdfast/config';
/** The server's list of files with their sums; what later bases are built on needs it. */
export const MANIFEST_FILE = `${BASE_FOLDER}/backup_manifest`;

const position = z.strictObject({ lsn: z.string(), timeline: z.int() });

/** What `/holdfast/server.json` of a base's snapshot says. */
export const baseRecord = z.object({
  /** Of this file's layout. */
  version: z.literal(1),
  systemId: z.string(),
  major: z.int(),
  settings: z.record(z.string(), z.string()),
  /** Where recovery begins, and where the data is consistent. */
  start: position,
  end: position,
  tablespaces: z.array(z.strictObject({ oid: z.int(), location: z.string() })),
  /** RFC 3339, by this machine's clock: when the base was begun and when the server had sent it all. */
  startedAt: z.string(),
  endedAt: z.string(),
  /** The user that the server ran as. */
  owner: z.strictObject({ uid: z.int(), gid: z.int() }),
  /** Host, port, user and database; never a password. */
  server: z.string(),
  /** The role that took the base: one that is sure to be in it. */
  role: z.string(),
  /** Absent when the role may not ask for them by SQL. */
  databases: z
    .array(
      z.object({
        name: z.string(),
        collate: z.string(),
        ctype: z.string(),
        /** `libc`, `icu` or `builtin`. */
        provider: z.string(),
        locale: z.string().optional(),
        collationVersion: z.string().optional(),
        /** Versions of the collations that exist in it, beside its own. */
        collations: z.array(z.object({ provider: z.string(), version: z.string() })).optional(),
        /** Tables whose content is in no base: they come back empty. */
        unloggedTables: z.array(z.string()).optional(),
        extensions: z.array(z.object({ name: z.string(), version: z.string() })).optional(),
      }),
    )
    .optional(),
  /** The snapshot whose files this base was made of, with the pages that had changed since. All of it is in this one. */
  builtOn: z.string().optional(),
  /** Pages whose checksum was looked at: all that the server sent; absent where the cluster has none. */
  pagesVerified: z.int().optional(),
  /** Custom kinds of WAL record: without the libraries that know them nothing can be replayed. Unknown before 15. */
  resourceManagers: z.array(z.string()).optional(),
  /** Whether the server replayed the WAL of another one. */
  standby: z.boolean().optional(),
  /** Configuration files from outside of the data directory: where they were, and where they lie below `/holdfast/config`. */
  configuration: z.array(z.object({ path: z.string(), name: z.string() })).optional(),
  /** What is wrong with this base or missing from it. */
  findings: z
    .array(
      z.object({
        severity: z.enum(['error', 'warning', 'note']),
        code: z.string(),
        subject: z.string(),
        message: z.string(),
        hint: z.string().optional(),
      }),
    )
    .default([]),
});

export type BaseRecord = z.infer<typeof baseRecord>;

/** What was recorded with a base. `source.unsupported` when a newer Holdfast wrote it, or when it is none of ours. */
export async function readBaseRecord(
  indexed: IndexedRepository,
  snapshot: StoredSnapshot,
  signal?: AbortSignal,
): Promise<BaseRecord> {
  const { bytes } = await dumpPath(indexed, snapshot.tree, RECORD_FILE, {
    // Only of folders is anything left out.
    onProblem: () => undefined,
    ...(signal === undefined ? {} : { signal }),
  });
  const parsed = baseRecord.safeParse(JSON.parse(Buffer.concat(await Array.fromAsync(bytes)).toString()));
  if (parsed.success) return parsed.data;
  throw new Failure('source.unsupported', 'what is recorded of the server cannot be understood', {
    subject: `snapshot ${snapshot.id.slice(0, 8)}:/${RECORD_FILE}`,
    hint: 'Was this base taken by a newer Holdfast?',
    cause: parsed.error,
  });
}
