import { chmod, mkdtemp, rm, statfs } from 'node:fs/promises';
import path from 'node:path';
import { type Clock, Failure, type IndexedRepository, type RestoreWatch } from '@holdfast/engine';
import type { ServerAddress } from '../connection/server-address.ts';
import type { MomentPlan } from '../restore/plan-moment.ts';
import type { Programs } from '../restore/programs.ts';
import { type RecoveryEnd, recoveryEnd } from '../restore/recover-moment.ts';
import { restoreMoment } from '../restore/restore-moment.ts';
import { startScratchServer } from '../restore/scratch-server.ts';

export interface ThenOptions {
  readonly programs: Programs;
  /** A directory of our own is made in it, and removed with all that is in it. */
  readonly scratch: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onStart: (watch: RestoreWatch) => void;
}

/** A server that holds a database as it was, for nobody but us; gone without a trace when disposed of. */
export interface ServerOfThen extends AsyncDisposable {
  readonly address: ServerAddress;
  readonly end: RecoveryEnd;
  /** Milliseconds. */
  readonly took: { readonly restore: number; readonly recovery: number };
}

/** Brings a moment back and starts a server on it. Whatever happens on the way, nothing stays behind. */
export async function startServerOfThen(
  indexed: IndexedRepository,
  moment: MomentPlan,
  { programs, scratch, clock, signal, onStart }: ThenOptions,
): Promise<ServerOfThen> {
  await refuseLackOfRoom(moment, scratch);
  await using opening = new AsyncDisposableStack();
  const home = await mkdtemp(path.join(scratch, 'holdfast-then-'));
  opening.defer(() => rm(home, { recursive: true, force: true, maxRetries: 5 }));
  // Run by root, the server is another user, who has to get through; what is in it is closed to all others.
  await chmod(home, 0o711);
  const startedAt = clock.now();
  // It takes writes, which nobody does: one that only waits may never let itself be read while old transactions are open.
  const restored = await restoreMoment(indexed, moment, {
    directory: path.join(home, 'data'),
    action: 'promote',
    clock,
    signal,
    onStart,
  });
  const restoredAt = clock.now();
  const server = opening.use(
    await startScratchServer({
      programs,
      dataDirectory: restored.directory,
      record: restored.record,
      disposable: true,
      clock,
      signal,
    }),
  );
  const end = await recoveryEnd(server.address);
  const opened = opening.move();
  return {
    address: server.address,
    end,
    took: { restore: restoredAt - startedAt, recovery: clock.now() - restoredAt },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** Better told now than when the disk is full, which may be the one that others live on. */
async function refuseLackOfRoom({ base, wal }: MomentPlan, scratch: string): Promise<void> {
  const needed =
    (base.snapshot.summary?.totalBytesProcessed ?? 0) + wal.reduce((sum, { node }) => sum + node.size, 0);
  const { bavail, bsize } = await statfs(scratch).catch((cause: unknown) => {
    throw new Failure('target.write', `${scratch} cannot be used`, { subject: scratch, cause });
  });
  if (needed <= bavail * bsize) return;
  throw new Failure('target.write', `${scratch} has no room for the database of then`, {
    subject: scratch,
    hint: `It needs ${Math.ceil(needed / 1e6)} MB and has ${Math.floor((bavail * bsize) / 1e6)} MB: name another with --scratch.`,
  });
}
