import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import type {
  PlanTableRestore,
  TableRestorePlan,
  TableRestoreSummary,
} from '../../cli/commands/postgres/table.ts';
import type { Planned } from '../../cli/planned.ts';
import { viewRepository } from '../../journal/repository-view.ts';
import { logIn } from '../../sources/postgres/connection/login.ts';
import { type ServerAddress, serverName } from '../../sources/postgres/connection/server-address.ts';
import { type MomentPlan, targetText } from '../../sources/postgres/restore/plan-moment.ts';
import { type BroughtBack, bringBack } from '../../sources/postgres/table/bring-back.ts';
import { openSessions, type Prepared, prepare } from '../../sources/postgres/table/prepare.ts';
import { relationText } from '../../sources/postgres/table/relation-name.ts';
import { type ServerOfThen, startServerOfThen } from '../../sources/postgres/table/server-of-then.ts';
import { formatLsn } from '../../sources/postgres/wal/lsn.ts';
import type { Machine } from '../machine.ts';
import { type AccessMachine, openAccess } from '../repository-access.ts';
import { showRestore } from '../restore-progress.ts';
import { findServer } from './local-server.ts';
import { chooseMoment } from './moment-choice.ts';
import { type ServerMachine, serverOf } from './server.ts';

export type TableMachine = AccessMachine & ServerMachine & Pick<Machine, 'workingDirectory' | 'timeZone'>;

/** Builds the database of then, since only there can be seen what is to come; the running one is only looked at. */
export function planTableRestore(machine: TableMachine): PlanTableRestore {
  return async (access, request, work): Promise<Planned<TableRestorePlan, TableRestoreSummary>> => {
    const { clock } = machine;
    const now = await serverOf(request, machine);
    const { limitDownload } = request;
    const limits = limitDownload === undefined ? {} : { limitDownload };
    await using opening = new AsyncDisposableStack();
    const opened = opening.use(await openAccess(access, { intent: 'read', ...work, ...limits }, machine));
    const { repository, signal } = opened;
    // A password that is wrong is told before anything is fetched.
    await answers(now, signal);
    const view = await viewRepository(repository, signal);
    const { indexed } = view;
    const { fromSystem } = request;
    const named = { ...request, ...(fromSystem === undefined ? {} : { system: fromSystem }) };
    const moment = await chooseMoment(view, named, machine, opened);
    const database = request.database ?? now.database;
    const { record } = moment.base;
    const { programs, notes } = await findServer({
      ...record,
      databases: record.databases?.filter(({ name }) => name === database),
    });
    const scratch = resolve(machine.workingDirectory, request.scratch ?? tmpdir());
    const then = opening.use(
      await startServerOfThen(indexed, moment, {
        programs,
        scratch,
        clock,
        signal,
        onStart: (watch) => showRestore(work.progress, watch, clock.now()),
      }),
    );
    const lookedAt = clock.now();
    const sessions = opening.use(await openSessions({ ...then.address, database }, now, signal));
    const wanted = { tables: request.tables, schemas: request.schema ?? [] };
    const prepared = await prepare(sessions, now, wanted, {
      replace: request.replace === true,
      onlyMissing: request.onlyMissing === true,
      ...(request.as === undefined ? {} : { as: request.as }),
      ...(request.into === undefined ? {} : { into: request.into }),
    });
    const plan = describe(moment, { now, then, prepared, notes, look: clock.now() - lookedAt });
    const open = opening.move();
    return {
      plan,
      execute: async ({ progress }) => {
        const startedAt = clock.now();
        const totalBytes = plan.tables.reduce((sum, { bytes }) => sum + bytes, 0);
        let bytes = 0;
        let begun = 0;
        let current = '';
        progress.watch(() => ({
          phase: 'Copying',
          startedAt,
          noun: 'table',
          files: Math.max(0, begun - 1),
          totalFiles: plan.tables.length,
          bytes,
          totalBytes: Math.max(bytes, totalBytes),
          errors: 0,
          items: [current],
        }));
        const brought = await bringBack(prepared.plan, {
          ...sessions,
          address: now,
          clock,
          signal,
          onBytes: (more) => {
            bytes += more;
          },
          onTable: ({ to }) => {
            begun += 1;
            current = relationText(to);
          },
        });
        return summarize(brought);
      },
      [Symbol.asyncDispose]: () => open.disposeAsync(),
    };
  };
}

async function answers(address: ServerAddress, signal: AbortSignal): Promise<void> {
  const { client } = await logIn(address, 'sql', signal);
  await client.end();
}

interface Seen {
  readonly now: ServerAddress;
  readonly then: ServerOfThen;
  readonly prepared: Prepared;
  /** What the server of then lacks, a sentence each. */
  readonly notes: readonly string[];
  /** Milliseconds. */
  readonly look: number;
}

function describe(moment: MomentPlan, { now, then, prepared, notes, look }: Seen): TableRestorePlan {
  const { record, snapshot } = moment.base;
  const { lsn, lastCommit } = then.end;
  return {
    target: serverName(now),
    asked: targetText(moment.asked),
    inclusive: moment.inclusive,
    server: record.server,
    systemId: moment.systemId,
    base: { snapshot: snapshot.id, endedAt: record.endedAt },
    lsn: formatLsn(lsn),
    ...(lastCommit === undefined ? {} : { lastCommit: new Date(lastCommit).toISOString() }),
    tables: prepared.plan.steps.map(({ from, to, action, rows, bytes, rowsNow }) => ({
      from: relationText(from),
      to: relationText(to),
      action,
      rows,
      bytes,
      ...(rowsNow === undefined ? {} : { rowsNow }),
    })),
    findings: [
      ...moment.notes.map((message) => ({
        severity: 'note' as const,
        code: 'table.moment',
        subject: targetText(moment.asked),
        message,
      })),
      ...notes.map((message) => ({
        severity: 'warning' as const,
        code: 'table.extension',
        subject: 'the server of then',
        message,
      })),
      ...prepared.plan.findings,
    ],
    took: { ...then.took, look },
    token: tokenOf(moment, now, prepared),
  };
}

/** Changes with the moment, the tables and what is done to them; not with every row that is written meanwhile. */
function tokenOf(moment: MomentPlan, now: ServerAddress, { plan }: Prepared): string {
  const hash = createHash('sha256').update(
    `${moment.systemId}\0${targetText(moment.asked)}\0${moment.inclusive}\0${serverName(now)}`,
  );
  for (const { from, to, action, rows, oidNow } of plan.steps) {
    hash.update(`\0${action}\0${relationText(from)}\0${relationText(to)}\0${rows}\0${oidNow}`);
  }
  return hash.digest('hex').slice(0, TOKEN_DIGITS);
}

const TOKEN_DIGITS = 12;

function summarize({ tables, findings, took }: BroughtBack): TableRestoreSummary {
  return {
    tables: tables.map(({ from, to, took: milliseconds, ...counts }) => ({
      from: relationText(from),
      to: relationText(to),
      ...counts,
      milliseconds,
    })),
    findings,
    milliseconds: took,
  };
}
