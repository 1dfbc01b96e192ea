import { readFile } from 'node:fs/promises';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { run } from './measurement.ts';

/** What the figures were measured on, in one line. */
export async function describeMachine(directory: string): Promise<string> {
  const processor = cpus()[0]?.model ?? 'unknown processor';
  const sha = /\bsha_ni\b/.test(await readFile('/proc/cpuinfo', 'utf8').catch(() => ''))
    ? ' with SHA-NI'
    : '';
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  const fileSystem = (await run({ program: 'stat', args: ['-f', '-c', '%T', directory] })).trim();
  return `${processor}${sha}, ${availableParallelism()} cores, ${memory} memory, ${fileSystem}, ${type()} ${release()}, Node ${process.versions.node}`;
}
