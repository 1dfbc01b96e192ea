import { Failure, type Repository } from '@holdfast/engine';
import type { Work } from '../../cli/command-frame.ts';
import type { EvidenceSummary, TakeEvidence, UnknownContent } from '../../cli/commands/postgres/evidence.ts';
import type { ServerAddress } from '../../sources/postgres/connection/server-address.ts';
import {
  EVIDENCE_TAGS,
  type Evidence,
  isCounted,
  isSampled,
} from '../../sources/postgres/evidence/evidence.ts';
import { sampleServer } from '../../sources/postgres/evidence/sample.ts';
import { saveEvidence } from '../../sources/postgres/evidence/save-evidence.ts';
import type { CountLimits } from '../../sources/postgres/evidence/table-plan.ts';
import { type LabelMachine, labelsOf } from '../files/snapshot-labels.ts';
import { type AccessMachine, openAccess } from '../repository-access.ts';
import { hostOf, type ServerMachine, serverOf } from './server.ts';

type EvidenceMachine = AccessMachine & LabelMachine & ServerMachine;

export function takeEvidence(machine: EvidenceMachine): TakeEvidence {
  return async (access, request, work) => {
    const address = await serverOf(request, machine);
    await using opened = await openAccess(access, { intent: 'write', ...work }, machine);
    const { database: databases } = request;
    const aggregates = Map.groupBy(request.aggregate ?? [], ({ table }) => table);
    const order = {
      address,
      limits: {
        contentBytes: request.hashUpTo,
        countBytes: request.countUpTo,
        tableTime: request.tableTime,
        totalTime: request.totalTime,
      },
      aggregates: new Map([...aggregates].map(([table, all]) => [table, all.map(({ sql }) => sql)])),
      labels: { tag: request.tag ?? [], ...(request.host === undefined ? {} : { host: request.host }) },
      retryLock: access.retryLock,
      ...(databases === undefined ? {} : { databases }),
    };
    return await collectEvidence(opened.repository, order, machine, { ...work, signal: opened.signal });
  };
}

export interface EvidenceOrder {
  readonly address: ServerAddress;
  readonly limits: CountLimits;
  readonly databases?: readonly string[];
  readonly aggregates?: ReadonlyMap<string, readonly string[]>;
  readonly labels: { readonly host?: string; readonly tag: readonly (readonly string[])[] };
  readonly retryLock: number;
}

/** Learns first, then locks: the repository waits for nobody's counting. */
export async function collectEvidence(
  repository: Repository,
  { labels, retryLock, ...order }: EvidenceOrder,
  machine: EvidenceMachine,
  { progress, signal }: Work,
): Promise<EvidenceSummary> {
  const { clock, random } = machine;
  const startedAt = clock.now();
  let tables = 0;
  let current = '';
  progress.watch(() => ({
    phase: 'Counting',
    startedAt,
    files: tables,
    bytes: 0,
    errors: 0,
    items: [current],
  }));
  const evidence = await sampleServer({
    ...order,
    clock,
    random,
    signal,
    onTable: (database, table) => {
      tables += 1;
      current = `${database}: ${table}`;
    },
  });
  const summary = summaryOf(evidence, order.aggregates ?? new Map());
  refuseNothing(evidence, summary);
  const stored = await saveEvidence(repository, evidence, {
    clock,
    labels: labelsOf(
      { host: labels.host ?? hostOf(order.address, machine), tag: [EVIDENCE_TAGS, ...labels.tag] },
      machine,
    ),
    retryLock,
    signal,
  });
  return { snapshot: stored.id, stored, ...summary, milliseconds: clock.now() - startedAt };
}

type Learnt = Omit<EvidenceSummary, 'snapshot' | 'stored' | 'milliseconds'>;

/** A snapshot that says of everything that it is unknown would only look like evidence. */
function refuseNothing({ databases }: Evidence, { tables, unknown: [first] }: Learnt): void {
  if (tables > 0 || first === undefined) return;
  const refused = databases.some(
    (database) =>
      isSampled(database) &&
      database.tables.some((table) => 'unknown' in table && table.unknown === 'privilege'),
  );
  throw new Failure(
    refused ? 'source.privilege' : 'source.unreadable',
    `nothing could be learnt of what the server holds (${first.subject}: ${first.message})`,
    hintOf(first),
  );
}

function summaryOf(evidence: Evidence, aggregates: NonNullable<EvidenceOrder['aggregates']>): Learnt {
  const sampled = evidence.databases.filter(isSampled);
  const counted = sampled.flatMap(({ tables }) => tables.filter(isCounted));
  const whole = counted.filter(({ sample }) => sample === undefined);
  const unknown: UnknownContent[] = [];
  for (const database of evidence.databases) {
    const { name } = database;
    if (!isSampled(database)) {
      unknown.push({ subject: name, message: database.unknown, ...hintOf(database) });
      continue;
    }
    for (const table of database.tables) {
      if (isCounted(table)) continue;
      unknown.push({
        subject: `${name}: ${table.schema}.${table.name}`,
        message: table.message,
        ...hintOf(table),
      });
    }
  }
  for (const name of unmet(evidence, aggregates.keys())) {
    unknown.push({ subject: name, message: 'there is no such table, of which an aggregate was asked for' });
  }
  return {
    server: evidence.server,
    systemId: evidence.systemId,
    databases: sampled.map(({ name, lsn, method }) => ({ name, lsn, method })),
    tables: counted.length,
    hashed: whole.filter(({ content }) => content !== undefined).length,
    sampled: counted.length - whole.length,
    rows: String(whole.reduce((sum, { rows }) => sum + BigInt(rows), 0n)),
    unknown,
  };
}

function unmet(evidence: Evidence, names: Iterable<string>): Set<string> {
  const missing = new Set(names);
  for (const database of evidence.databases) {
    if (!isSampled(database)) continue;
    for (const { schema, name } of database.tables) missing.delete(`${database.name}.${schema}.${name}`);
  }
  return missing;
}

function hintOf({ hint }: { readonly hint?: string | undefined }): { hint?: string } {
  return hint === undefined ? {} : { hint };
}
