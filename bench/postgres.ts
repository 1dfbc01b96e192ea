/**
 * The benchmarks of PostgreSQL: bases, the journal and restores beside PostgreSQL's own programs and pgBackRest, on one
 * server of our own, interleaved. Prints Markdown for docs/benchmarks.md; progress goes to stderr.
 *
 *     ./dev bench postgres
 *     ./dev bench postgres full unchanged --runs 5
 *     ./dev bench postgres --size small --runs 1
 */
import { chmod, chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Failure, isFailure } from '../engine/src/kernel/failure.ts';
import { describeMachine } from './machine.ts';
import { type Account, requireTime, run } from './measurement.ts';
import { full, unchanged } from './postgres/bases.ts';
import { catchUp } from './postgres/catch-up.ts';
import { Cluster } from './postgres/cluster.ts';
import { felt } from './postgres/felt.ts';
import { Holdfast } from './postgres/holdfast.ts';
import { incremental } from './postgres/incremental.ts';
import { lag } from './postgres/lag.ts';
import { findPrograms } from './postgres/programs.ts';
import { restore } from './postgres/restores.ts';
import { type Operation, type Size, type Stage, sizes } from './postgres/stage.ts';

const OPERATIONS: Readonly<Record<string, Operation>> = {
  full,
  unchanged,
  incremental,
  'catch-up': catchUp,
  lag,
  restore,
  felt,
};

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '3' },
    size: { type: 'string', default: 'large' },
    directory: { type: 'string', default: tmpdir() },
  },
});

const interrupted = new AbortController();
const { signal } = interrupted;
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () =>
    interrupted.abort(new Failure('interrupted', 'Interrupted; nothing is left behind.')),
  );
}
const scratch = await mkdtemp(path.join(options.directory, 'holdfast-bench-'));
try {
  await benchmark();
} catch (thrown) {
  // What was under way when it was interrupted throws errors of its own.
  const error: unknown = signal.aborted ? signal.reason : thrown;
  if (!isFailure(error)) throw error;
  tell(`✖ ${error.message}${error.hint === undefined ? '' : `\n  ${error.hint}`}`);
  process.exitCode = error.exitCode;
} finally {
  await rm(scratch, { recursive: true, force: true, maxRetries: 5 });
}

async function benchmark(): Promise<void> {
  const { operations, size, runs } = chosen();
  await requireTime();
  const programs = await findPrograms();
  if (programs.pgBackRest === undefined) tell('pgBackRest is not installed and is left out');
  const account = await serviceAccount();
  await chmod(scratch, 0o755);
  if (account !== undefined) await chown(scratch, account.uid, account.gid);
  const home = {
    programs,
    account,
    dataDirectory: path.join(scratch, 'data'),
    socketDirectory: path.join(scratch, 'socket'),
  };
  await Cluster.create(home, signal);
  await using cluster = await Cluster.start(home, signal);
  tell(`writing pgbench's data, scale ${size.scale}`);
  const words = ['-i', '-q', '-s', String(size.scale)];
  await run({ program: programs.pgbench, args: words, environment: cluster.environment }, signal);
  // All that it left to do at some time is done now.
  await cluster.query('VACUUM (FREEZE, ANALYZE)');
  const bytes = Number(await cluster.value('SELECT sum(pg_database_size(oid)) FROM pg_database'));
  const holdfast = await Holdfast.find(scratch, cluster.environment);
  const version = await cluster.value('SHOW server_version');

  print(`Machine: ${await describeMachine(scratch)}  `);
  print(
    `Server: PostgreSQL ${version}, ${(bytes / 1e6).toFixed(0)} MB, data checksums, over a unix socket  `,
  );
  print(`Command: \`./dev bench postgres ${process.argv.slice(2).join(' ')}\`, medians of ${runs} runs`);
  const stage: Stage = { programs, cluster, holdfast, size, account, scratch, runs, signal, tell };
  for (const { title, play } of operations) {
    print(`\n### ${title}\n`);
    print(await played(stage, play));
  }
}

/** Who cannot do one operation is asked for the next all the same. */
async function played(stage: Stage, play: Operation['play']): Promise<string> {
  try {
    return await play(stage);
  } catch (error) {
    if (!isFailure(error, 'internal')) throw error;
    signal.throwIfAborted();
    tell(`✖ ${error.message}`);
    return `Failed: ${error.message.split('\n')[0]}`;
  }
}

function chosen(): { operations: Operation[]; size: Size; runs: number } {
  const runs = Number(options.runs);
  if (!Number.isInteger(runs) || runs < 1)
    throw new Failure('usage', `"${options.runs}" is no number of runs.`);
  const size = sizes[options.size];
  if (size === undefined) throw oneOf('size', options.size, sizes);
  const names = positionals.length === 0 ? Object.keys(OPERATIONS) : positionals;
  const operations = names.map((name) => OPERATIONS[name] ?? name);
  const unknown = operations.find((operation) => typeof operation === 'string');
  if (unknown !== undefined) throw oneOf('operation', unknown, OPERATIONS);
  return { operations: operations.filter((operation) => typeof operation !== 'string'), size, runs };
}

function oneOf(what: string, given: string, known: Readonly<Record<string, unknown>>): Failure {
  return new Failure('usage', `There is no ${what} "${given}".`, {
    hint: `Choose from ${Object.keys(known).join(', ')}.`,
  });
}

/** PostgreSQL refuses to run as root: its own account does it then. */
async function serviceAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const ids = ['-u', '-g'].map((which) => run({ program: 'id', args: [which, 'postgres'] }));
  const [uid = 65_534, gid = 65_534] = (await Promise.all(ids)).map(Number);
  return { uid, gid };
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}
