/**
 * The benchmarks: Holdfast and its peers side by side, interleaved, on corpora that are the same everywhere. Prints
 * Markdown for docs/benchmarks.md; progress goes to stderr.
 *
 *     npm run bench -- mini --runs 3
 *     npm run bench -- small --repo s3 --only first,unchanged,restore,prune
 *     npm run bench -- tiny --scale 0.01 --runs 1
 *     npm run bench -- --tool restic --tool "holdfast=node app/bin/run.cjs" --tool "holdfast=./holdfast"
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Failure, isFailure } from '../engine/src/kernel/failure.ts';
import { corpora } from './corpus/corpora.ts';
import { describeMachine } from './machine.ts';
import { requireTime } from './measurement.ts';
import {
  type Defeat,
  type OperationName,
  operationNames,
  playRound,
  runCorpus,
  type Sample,
} from './operations.ts';
import { environmentOf, openPlace, type PlaceName, placeNames } from './places.ts';
import { renderTable } from './table.ts';
import { findTool, type Tool } from './tools.ts';
import { treeSize } from './tree-size.ts';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    corpus: { type: 'string', multiple: true, default: [] },
    // Some of the operations, with commas between them.
    only: { type: 'string', default: operationNames.join(',') },
    // Where the repositories lie: on this disk, or on a MinIO of our own.
    repo: { type: 'string', default: 'local' },
    tool: { type: 'string', multiple: true, default: ['restic', 'holdfast=node app/bin/run.cjs', 'rustic'] },
    runs: { type: 'string', default: '3' },
    // So much of each corpus: to try a benchmark out. Its figures are no one else's.
    scale: { type: 'string', default: '1' },
    directory: { type: 'string', default: tmpdir() },
  },
});

const USUAL_CORPORA = ['small', 'large', 'random'];
const runs = Number(options.runs);
const interrupted = new AbortController();
const { signal } = interrupted;
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () =>
    interrupted.abort(new Failure('interrupted', 'Interrupted; nothing is left behind.')),
  );
}
const scratch = await mkdtemp(path.join(options.directory, 'holdfast-bench-'));
try {
  if (!Number.isInteger(runs) || runs < 1)
    throw new Failure('usage', `"${options.runs}" is no number of runs.`);
  const place = chosen('place for repositories', options.repo, placeNames);
  const operations = new Set(
    options.only.split(',').map((name) => chosen('operation', name, operationNames)),
  );
  await requireTime();
  const tools = await findTools(place);
  print(`Machine: ${await describeMachine(scratch)}  `);
  print(
    `Command: \`./dev bench ${process.argv.slice(2).join(' ')}\`, medians of ${runs} runs, × is the ratio to ${tools[0]?.label}`,
  );
  const names = [...positionals, ...options.corpus];
  for (const name of names.length === 0 ? USUAL_CORPORA : names) {
    await benchmark(name, { tools, place, operations });
  }
} catch (error) {
  if (!isFailure(error)) throw error;
  process.stderr.write(`✖ ${error.message}\n${error.hint === undefined ? '' : `  ${error.hint}\n`}`);
  process.exitCode = error.exitCode;
} finally {
  await rm(scratch, { recursive: true, force: true });
}

async function findTools(place: PlaceName): Promise<Tool[]> {
  const tools: Tool[] = [];
  for (const text of options.tool) {
    const tool = await findTool(text, scratch, environmentOf(place));
    if (tool === undefined) {
      tell(`${text} does not run here and is left out`);
      continue;
    }
    const twins = tools.filter(({ label }) => label.startsWith(tool.label)).length;
    tools.push(twins === 0 ? tool : { ...tool, label: `${tool.label} (${twins + 1})` });
  }
  if (tools.length === 0) throw new Failure('usage', 'None of the programs to measure runs here.');
  return tools;
}

interface Choice {
  readonly tools: readonly Tool[];
  readonly place: PlaceName;
  readonly operations: ReadonlySet<OperationName>;
}

async function benchmark(name: string, { tools, place: placeName, operations }: Choice): Promise<void> {
  if (corpora[name] === undefined) {
    throw new Failure('usage', `There is no corpus "${name}".`, {
      hint: `Choose from ${Object.keys(corpora).join(', ')}.`,
    });
  }
  const corpus = path.join(scratch, name);
  tell(`${name}: writing the corpus`);
  await runCorpus([name, corpus, options.scale], signal);
  const { files, bytes } = await treeSize(corpus);

  const samples: (Sample | Defeat)[] = [];
  for (let number = 0; number < runs; number++) {
    const directory = path.join(scratch, `round-${number}`);
    await mkdir(directory);
    await using place = await openPlace(placeName, directory);
    const round = { tools, place, operations, corpus, scratch: directory, number, signal };
    for await (const sample of playRound(round)) {
      tell(`${name}, run ${number + 1}: ${sample.work}, ${sample.label}: ${outcomeOf(sample)}`);
      samples.push(sample);
    }
    await rm(directory, { recursive: true });
  }
  await rm(corpus, { recursive: true });
  print(`\n## ${name}: ${files} files, ${(bytes / 1e6).toFixed(0)} MB\n`);
  print(renderTable(samples, tools[0]?.label ?? ''));
}

function outcomeOf(sample: Sample | Defeat): string {
  if ('said' in sample) return `failed: ${sample.said}`;
  const requests = Object.entries(sample.traffic?.requests ?? {}).map(
    ([what, count]) => ` · ${count} ${what}`,
  );
  return `${sample.wallSeconds.toFixed(2)} s${requests.join('')}`;
}

function chosen<Name extends string>(what: string, given: string, names: readonly Name[]): Name {
  const name = names.find((one) => one === given);
  if (name !== undefined) return name;
  throw new Failure('usage', `There is no ${what} "${given}".`, { hint: `Choose from ${names.join(', ')}.` });
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}
