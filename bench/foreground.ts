/**
 * What a backup costs those who work meanwhile: the latency of somebody who reads 16 KiB at random and computes a
 * millisecond, at a fixed rate, alone and beside a backup with and without the options that hold it back. Prints
 * Markdown for docs/benchmarks.md; progress goes to stderr.
 *
 *     ./dev run bench/foreground.ts
 *     ./dev run bench/foreground.ts --corpus mini --runs 1 --seconds 3
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Failure, isFailure } from '../engine/src/kernel/failure.ts';
import { corpora, SEED } from './corpus/corpora.ts';
import { writeCorpus } from './corpus/write.ts';
import { type Felt, renderLatencies } from './foreground/latency-table.ts';
import { describeMachine } from './machine.ts';
import { run } from './measurement.ts';
import { runCorpus } from './operations.ts';
import { findTool, type Tool } from './tools.ts';

const READER = fileURLToPath(new URL('foreground/reader.ts', import.meta.url));

const { values: options } = parseArgs({
  options: {
    corpus: { type: 'string', default: 'small' },
    tool: { type: 'string', default: 'holdfast=./holdfast' },
    rate: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '20' },
    runs: { type: 'string', default: '3' },
    directory: { type: 'string', default: tmpdir() },
  },
});

const VARIANTS: readonly (readonly string[])[] = [
  [],
  ['--read-concurrency', '1'],
  ['--nice', '19'],
  ['--limit-upload', '10240'],
  ['--read-concurrency', '1', '--nice', '19'],
];

const scratch = await mkdtemp(path.join(options.directory, 'holdfast-foreground-'));
const interrupted = new AbortController();
const { signal } = interrupted;
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () =>
    interrupted.abort(new Failure('interrupted', 'Interrupted; nothing is left behind.')),
  );
}
try {
  await compare();
} catch (thrown) {
  // A sleep that is aborted throws an error of its own.
  const error: unknown = signal.aborted ? signal.reason : thrown;
  if (!isFailure(error)) throw error;
  tell(`✖ ${error.message}`);
  process.exitCode = error.exitCode;
} finally {
  await rm(scratch, { recursive: true, force: true });
}

async function compare(): Promise<void> {
  const tool = await findTool(options.tool, scratch);
  if (corpora[options.corpus] === undefined || tool === undefined)
    throw new Failure('usage', 'No such corpus, or no such program.');
  const [source, desk] = [path.join(scratch, 'source'), path.join(scratch, 'desk')];
  tell('writing the corpora');
  await runCorpus([options.corpus, source], signal);
  writeCorpus(
    { kind: 'tree', files: 2000, directories: 50, bytes: 200e6, duplicates: 0 },
    desk,
    `${SEED} desk`,
  );

  const alone = { during: 'no backup', latencies: [] as number[], backupSeconds: [] };
  const beside = VARIANTS.map((flags) => ({
    during: ['a backup', ...flags].join(' '),
    flags,
    latencies: [] as number[],
    backupSeconds: [] as number[],
  }));
  for (let number = 1; number <= Number(options.runs); number += 1) {
    tell(`run ${number}: alone`);
    alone.latencies.push(
      ...(await latenciesDuring(desk, () => delay(Number(options.seconds) * 1000, undefined, { signal }))),
    );
    for (const { flags, latencies, backupSeconds } of beside) {
      tell(`run ${number}: ${['a backup', ...flags].join(' ')}`);
      const work = await prepareBackup(tool, source, flags);
      const started = performance.now();
      latencies.push(...(await latenciesDuring(desk, work)));
      backupSeconds.push((performance.now() - started) / 1000);
    }
  }
  const rows: Felt[] = [alone, ...beside];
  print(`Machine: ${await describeMachine(scratch)}  `);
  print(
    `Command: \`./dev run bench/foreground.ts ${process.argv.slice(2).join(' ')}\`, ${tool.label}, corpus ${options.corpus}, ${options.rate} requests a second, ${options.runs} runs\n`,
  );
  print(renderLatencies(rows));
}

/** A first backup into an empty repository, ready to begin. */
async function prepareBackup(tool: Tool, source: string, flags: readonly string[]) {
  const repository = path.join(scratch, 'repository');
  await rm(repository, { recursive: true, force: true });
  await run(tool.init(repository), signal);
  await run({ program: 'sync', args: [] });
  const command = tool.backup(repository, source);
  return () => run({ ...command, args: [...command.args, ...flags] }, signal);
}

async function latenciesDuring(desk: string, work: () => Promise<unknown>): Promise<number[]> {
  const reader = spawn(process.execPath, [READER, desk, options.rate], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const closed = once(reader, 'close');
  let output = '';
  reader.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  try {
    await once(reader.stdout, 'data');
    await work();
  } finally {
    reader.stdin.end();
    await closed;
  }
  return JSON.parse(output.split('\n')[1] ?? '') as number[];
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}
