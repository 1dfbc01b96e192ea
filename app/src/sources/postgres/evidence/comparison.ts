import type { Finding } from '@holdfast/engine';
import { type CountedTable, isCounted, type SampledDatabase } from './evidence.ts';

/** What a copy holds of one table of the evidence; undefined when it is not there. */
export type FoundTable = Omit<CountedTable, 'schema' | 'name'> | UnreadableTable | undefined;

interface UnreadableTable {
  /** What the server said. */
  readonly failed: string;
  /** It is this machine that lacks something, not the copy. */
  readonly here: boolean;
}

/** A copy of one database, asked the same questions at the same position of the log. */
export interface FoundDatabase {
  readonly collate: string;
  readonly ctype: string;
  readonly extensions: SampledDatabase['extensions'];
  /** In the order of the evidence; undefined where nothing was to be compared, too. */
  readonly tables: readonly FoundTable[];
  /** Tables that the copy has and the evidence does not know. */
  readonly strangers: readonly string[];
  /** Transactions that the copy has and the original could not see yet. */
  readonly overtaken: number;
}

/** What was compared, and with which result. */
export interface ContentVerdict {
  readonly database: string;
  readonly lsn: string;
  /** Tables whose rows (and content, where it was hashed) are exactly the same. */
  readonly exact: number;
  /** Of these, how many were looked at in part only. */
  readonly sampled: number;
  readonly different: number;
  readonly unknown: number;
  /** Rows in the tables that are the same; those of samples as far as they were looked at. */
  readonly rows: string;
  /** Transactions by which the copy may differ and be right; 0 where the evidence is exact. */
  readonly tolerance: number;
}

/** Pure: what a copy proves of one database. */
export function compareDatabase(
  recorded: SampledDatabase,
  found: FoundDatabase,
): { readonly verdict: ContentVerdict; readonly findings: readonly Finding[] } {
  const findings = [...factFindings(recorded, found)];
  const tally = { exact: 0, sampled: 0, different: 0, unknown: 0 };
  let rows = 0n;
  for (const [at, table] of recorded.tables.entries()) {
    const subject = `${recorded.name}: ${table.schema}.${table.name}`;
    if (!isCounted(table)) {
      tally.unknown += 1;
      findings.push({
        severity: 'warning',
        code: 'evidence.unknown',
        subject,
        message: `nothing is known of its content: ${table.message}`,
        ...(table.hint === undefined ? {} : { hint: table.hint }),
      });
      continue;
    }
    const copy = found.tables[at];
    if (copy !== undefined && 'failed' in copy && copy.here) {
      tally.unknown += 1;
      findings.push(notReadHere(subject, copy.failed));
      continue;
    }
    const difference = differenceOf(table, copy);
    if (difference === undefined) {
      tally.exact += 1;
      rows += BigInt(table.rows);
      if (table.sample !== undefined) {
        tally.sampled += 1;
        findings.push(sampledFinding(subject, table.sample.percent));
      }
    } else if (found.overtaken > 0) {
      tally.unknown += 1;
      findings.push(toleratedFinding(subject, difference, found.overtaken));
    } else {
      tally.different += 1;
      findings.push({
        severity: 'error',
        code: 'evidence.different',
        subject,
        message: `the copy is not what the original was at ${recorded.lsn}: ${difference}`,
        hint: 'Do not rely on this base and its journal. Take a new base, and verify an older one.',
      });
    }
  }
  const { name: database, lsn } = recorded;
  return { verdict: { database, lsn, ...tally, rows: String(rows), tolerance: found.overtaken }, findings };
}

function differenceOf(recorded: CountedTable, found: FoundTable): string | undefined {
  if (found === undefined) return 'the table is missing';
  if ('failed' in found) return `it cannot be read: ${found.failed}`;
  if (found.rows !== recorded.rows) return `${recorded.rows} rows in the original, ${found.rows} in the copy`;
  if (found.content !== recorded.content) return `${recorded.rows} rows in both, but their content differs`;
  for (const [sql, value] of Object.entries(recorded.aggregates ?? {})) {
    const theirs = found.aggregates?.[sql] ?? null;
    if (theirs !== value) return `${sql} was ${value ?? 'null'} and is ${theirs ?? 'null'}`;
  }
  return undefined;
}

function* factFindings(recorded: SampledDatabase, found: FoundDatabase): Generator<Finding> {
  const known = (facts: Pick<FoundDatabase, 'collate' | 'ctype' | 'extensions'>) =>
    [facts.collate, facts.ctype, ...facts.extensions.map(({ name, version }) => `${name} ${version}`)].join(
      ', ',
    );
  if (known(recorded) !== known(found)) {
    yield {
      severity: 'error',
      code: 'evidence.facts',
      subject: recorded.name,
      message: `the copy has other locales or extensions: ${known(found)} instead of ${known(recorded)}`,
    };
  }
  if (found.strangers.length > 0) {
    yield {
      severity: found.overtaken > 0 ? 'warning' : 'error',
      code: 'evidence.stranger',
      subject: recorded.name,
      message: `the copy has tables that the original did not have: ${found.strangers.join(', ')}`,
    };
  }
}

function notReadHere(subject: string, said: string): Finding {
  return {
    severity: 'warning',
    code: 'evidence.unknown',
    subject,
    message: `it could not be compared on this machine: ${said}`,
    hint: 'Install the extensions of the original for the PostgreSQL of this machine, of the same major version.',
  };
}

function sampledFinding(subject: string, percent: number): Finding {
  return {
    severity: 'note',
    code: 'evidence.sampled',
    subject,
    message: `only ${percent} % of its blocks were compared: the table is large`,
  };
}

function toleratedFinding(subject: string, difference: string, overtaken: number): Finding {
  return {
    severity: 'warning',
    code: 'evidence.tolerance',
    subject,
    message:
      `${difference}; ${overtaken} transactions were about to become visible when the evidence was taken, ` +
      'so that this may be right',
    hint: 'Set wal_level = logical, or take evidence while no synchronous standby is being waited for.',
  };
}
