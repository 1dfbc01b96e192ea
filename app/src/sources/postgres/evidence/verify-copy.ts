import { appendFile } from 'node:fs/promises';
import path from 'node:path';
import type { Clock, Finding } from '@holdfast/engine';
import type { BaseRecord } from '../base/base-record.ts';
import type { ServerAddress } from '../connection/server-address.ts';
import type { Programs } from '../restore/programs.ts';
import { configurationLines } from '../restore/recovery-settings.ts';
import { type ScratchServer, startScratchServer } from '../restore/scratch-server.ts';
import { parseLsn } from '../wal/lsn.ts';
import { type ContentVerdict, compareDatabase } from './comparison.ts';
import { readCopy } from './copy-content.ts';
import { type Evidence, isSampled, type SampledDatabase } from './evidence.ts';
import { checkStructure, type StructureVerdict } from './index-check.ts';
import { checkPages, type PageVerdict } from './page-check.ts';
import { SqlSession } from './sql-session.ts';

export type VerifyStep = 'recovering' | 'comparing' | 'indexes' | 'pages';

export interface CopyOptions {
  readonly evidence: Evidence;
  /** Restored, never started, with all WAL up to the last position of the evidence, to be paused at its target. */
  readonly dataDirectory: string;
  readonly record: BaseRecord;
  readonly programs: Programs;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Told with the database or the directory that it is about. */
  readonly onStep?: (step: VerifyStep, subject: string) => void;
}

export interface CopyVerdict {
  readonly content: readonly ContentVerdict[];
  /** Absent where amcheck is not available. */
  readonly structure?: Omit<StructureVerdict, 'findings'>;
  /** Absent where pages have no checksums. */
  readonly pages?: Omit<PageVerdict, 'findings'>;
  readonly findings: readonly Finding[];
  /** Milliseconds until the copy answered for the first time, and for all that was asked. */
  readonly took: { readonly recovery: number; readonly checks: number };
}

/**
 * Brings a restored copy from one position of the evidence to the next, in the order of the log, and compares at each what
 * belongs to it. Behind the last one it takes writes: then amcheck; then it is shut down, and every page is summed.
 */
export async function verifyCopy(options: CopyOptions): Promise<CopyVerdict> {
  const { evidence, record, dataDirectory, signal, clock, onStep } = options;
  const startedAt = clock.now();
  const findings = evidence.databases.flatMap((database) =>
    isSampled(database) ? [] : [unsampledFinding(database.name, database.unknown, database.hint)],
  );
  const content: ContentVerdict[] = [];
  const sampled = evidence.databases.filter(isSampled).sort(byPosition);
  let answeredAt: number | undefined;
  let structure: StructureVerdict | undefined;
  let promoted = false;
  for (const [at, database] of sampled.entries()) {
    if (promoted) {
      findings.push(passedFinding(database.name));
      continue;
    }
    onStep?.('recovering', database.name);
    await aimAt(dataDirectory, database.lsn);
    await using server = await startScratchServer(options);
    answeredAt ??= clock.now();
    onStep?.('comparing', database.name);
    const compared = await compareAt(server, database, signal);
    content.push(compared.verdict);
    findings.push(...compared.findings);
    promoted = await hasPromoted(server.address, signal);
    if (!promoted && at < sampled.length - 1) continue;
    if (!promoted) await promote(server.address, clock, signal);
    onStep?.('indexes', dataDirectory);
    structure = await checkStructure(server.address, record.major, signal);
  }
  const pages = await pagesOf(options);
  return {
    content,
    ...(structure === undefined ? {} : { structure: withoutFindings(structure) }),
    ...(pages === undefined ? {} : { pages: withoutFindings(pages) }),
    findings: [...findings, ...(structure?.findings ?? []), ...(pages?.findings ?? [])],
    took: {
      recovery: (answeredAt ?? startedAt) - startedAt,
      checks: clock.now() - (answeredAt ?? startedAt),
    },
  };
}

async function compareAt(server: ScratchServer, database: SampledDatabase, signal: AbortSignal) {
  await using sql = await SqlSession.open({ ...server.address, database: database.name }, signal);
  return compareDatabase(database, await readCopy(sql, database));
}

/** Later lines win; a server that paused at an earlier position goes on from there. */
async function aimAt(dataDirectory: string, lsn: string): Promise<void> {
  const lines = configurationLines([
    ['recovery_target_lsn', lsn],
    ['recovery_target_inclusive', 'off'],
    ['recovery_target_action', 'pause'],
  ]);
  await appendFile(path.join(dataDirectory, 'postgresql.auto.conf'), lines);
}

/** A server that could not be read at its target yet does not pause there: it goes on to take writes. */
async function hasPromoted(address: ServerAddress, signal: AbortSignal): Promise<boolean> {
  await using sql = await SqlSession.open(address, signal);
  return await isPrimary(sql);
}

async function promote(address: ServerAddress, clock: Clock, signal: AbortSignal): Promise<void> {
  await using sql = await SqlSession.open(address, signal);
  await sql.query('SELECT pg_wal_replay_resume()');
  while (!(await isPrimary(sql))) await clock.sleep(LOOK_EVERY, signal);
}

async function isPrimary(sql: SqlSession): Promise<boolean> {
  const [row] = await sql.query<{ standby: boolean }>('SELECT pg_is_in_recovery() AS standby');
  return row?.standby === false;
}

async function pagesOf({
  dataDirectory,
  record,
  signal,
  onStep,
}: CopyOptions): Promise<PageVerdict | undefined> {
  if (record.settings['data_checksums'] !== 'on') return undefined;
  onStep?.('pages', dataDirectory);
  return await checkPages(dataDirectory, signal);
}

function withoutFindings<Verdict extends { readonly findings: readonly Finding[] }>(verdict: Verdict) {
  const { findings: _, ...rest } = verdict;
  return rest;
}

function byPosition(a: SampledDatabase, b: SampledDatabase): number {
  return Number(parseLsn(a.lsn) - parseLsn(b.lsn));
}

function unsampledFinding(database: string, why: string, hint: string | undefined): Finding {
  return {
    severity: 'warning',
    code: 'evidence.unknown',
    subject: database,
    message: `nothing is known of this database: ${why}`,
    ...(hint === undefined ? {} : { hint }),
  };
}

function passedFinding(database: string): Finding {
  return {
    severity: 'warning',
    code: 'evidence.unknown',
    subject: database,
    message: 'the copy did not stop for it: it could not be read before that position was passed',
    hint: 'A base that is older than the evidence by a minute or more is easier to stop in time.',
  };
}

/** Milliseconds. */
const LOOK_EVERY = 10;
