/**
 * What a large repository costs: loading its index, saving one file into it, listing its snapshots. The repositories are
 * made up, once, and kept in the cache directory. Prints Markdown for docs/benchmarks.md; progress goes to stderr.
 *
 *     ./dev bench scale
 *     ./dev bench scale --blobs 1000000 --snapshots 10000 --runs 3
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Failure, isFailure } from '../engine/src/kernel/failure.ts';
import { describeMachine } from './machine.ts';
import { type Command, type Measurement, requireTime, run, startMeasured } from './measurement.ts';
import { largeRepository, PASSWORD } from './scale/large-repository.ts';
import { median } from './table.ts';

const { values: options } = parseArgs({
  options: {
    blobs: { type: 'string', default: '10000000' },
    snapshots: { type: 'string', default: '100000' },
    runs: { type: 'string', default: '1' },
    directory: { type: 'string', default: path.join(homedir(), '.cache', 'holdfast-bench') },
  },
});

const interrupted = new AbortController();
const { signal } = interrupted;
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () =>
    interrupted.abort(new Failure('interrupted', 'Interrupted; what was measured is printed.')),
  );
}
await mkdir(options.directory, { recursive: true });
const scratch = await mkdtemp(path.join(options.directory, 'run-'));
try {
  await benchmark();
} catch (thrown) {
  const error: unknown = signal.aborted ? signal.reason : thrown;
  if (!isFailure(error)) throw error;
  tell(`✖ ${error.message}${error.hint === undefined ? '' : `\n  ${error.hint}`}`);
  process.exitCode = error.exitCode;
} finally {
  await rm(scratch, { recursive: true, force: true });
}

async function benchmark(): Promise<void> {
  await requireTime();
  const [blobs, snapshots, runs] = [options.blobs, options.snapshots, options.runs].map(countOf);
  tell('making the repositories, unless they are there');
  const many = { blobs: blobs ?? 0, snapshots: 1 };
  const withBlobs = await copied(await largeRepository(options.directory, many, signal), 'blobs');
  const withSnapshots = await copied(
    await largeRepository(options.directory, { blobs: 1, snapshots: snapshots ?? 0 }, signal),
    'snapshots',
  );
  const file = path.join(scratch, 'file');
  await writeFile(file, 'one file');

  print(`Machine: ${await describeMachine(scratch)}  `);
  print(`Command: \`./dev bench scale ${process.argv.slice(2).join(' ')}\`, medians of ${runs} runs\n`);
  print(`| ${blobs} blobs, ${snapshots} snapshots | wall s | of that, the index | CPU s | peak MB |`);
  print('|---|--:|--:|--:|--:|');
  const cache = path.join(scratch, 'cache');
  const load = (...args: string[]): Command => ({
    program: process.execPath,
    args: ['--conditions=source', fileURLToPath(new URL('scale/load-index.ts', import.meta.url)), ...args],
  });
  const holdfast = (...args: string[]): Command => ({
    program: process.execPath,
    args: ['app/bin/run.cjs', ...args],
    environment: { HOLDFAST_PASSWORD: PASSWORD, HOLDFAST_CACHE_DIR: cache },
  });
  const backup = (...args: string[]) => holdfast('files', 'backup', file, '--repo', withBlobs, ...args);
  const list = (...args: string[]) => holdfast('points', '--json', '--repo', withSnapshots, ...args);
  const forgetting = () => rm(cache, { recursive: true, force: true });
  const works: [string, Command, (() => Promise<void>)?][] = [
    ['index from its files, without a cache', load(withBlobs)],
    ['index from its files, and written to the cache', load(withBlobs, cache), forgetting],
    ['index from the cache', load(withBlobs, cache)],
    ['backup of one file, without a cache', backup('--no-cache')],
    ['backup of one file, the cache empty', backup(), forgetting],
    ['backup of one file, the cache filled', backup()],
    ['list of snapshots, the cache empty', list(), forgetting],
    ['list of snapshots, the cache filled', list()],
  ];
  for (const [name, command, before] of works) print(row(name, await repeated(command, runs ?? 1, before)));
}

interface Lap extends Measurement {
  /** What the command said that loading the index took. */
  readonly indexSeconds: number | undefined;
}

async function repeated(command: Command, runs: number, before?: () => Promise<void>): Promise<Lap[]> {
  const laps: Lap[] = [];
  while (laps.length < runs) {
    await before?.();
    const running = startMeasured(command, scratch, signal);
    const measurement = await running.measured;
    const said = /^([\d.]+) s for \d+ blobs$/m.exec(running.output());
    const lap = { ...measurement, indexSeconds: said === null ? undefined : Number(said[1]) };
    tell(`${command.args.slice(1, 4).join(' ')}: ${lap.wallSeconds.toFixed(2)} s`);
    laps.push(lap);
  }
  return laps;
}

function row(name: string, laps: readonly Lap[]): string {
  const figure = (read: (lap: Lap) => number | undefined, digits: number) =>
    median(laps.map(read))?.toFixed(digits) ?? '';
  const cells = [
    figure(({ wallSeconds }) => wallSeconds, 2),
    figure(({ indexSeconds }) => indexSeconds, 2),
    figure(({ cpuSeconds }) => cpuSeconds, 2),
    figure(({ peakBytes }) => peakBytes / 1e6, 0),
  ];
  return `| ${name} | ${cells.join(' | ')} |`;
}

/** With hard links: what is measured may write into it, and the one that is kept stays as it is. */
async function copied(repository: string, name: string): Promise<string> {
  const copy = path.join(scratch, name);
  await run({ program: 'cp', args: ['-al', repository, copy] }, signal);
  return copy;
}

function countOf(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1)
    throw new Failure('usage', `"${text}" is no number of anything.`);
  return count;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}
