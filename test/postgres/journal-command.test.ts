import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { startPostgres } from '../servers/postgres.ts';
import { JournalScene } from './journal-scene.ts';

const holdfast = fileURLToPath(new URL('../../holdfast', import.meta.url));

/** A running command line. */
class Command {
  output = '';
  readonly done: Promise<number | null>;
  readonly #child: ChildProcess;
  #heard = Promise.withResolvers<void>();

  constructor(args: readonly string[]) {
    const env = { ...process.env, HOLDFAST_PASSWORD: 'secret' };
    const child = spawn(holdfast, [...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
        this.#heard.resolve();
      });
    }
    const { promise, resolve } = Promise.withResolvers<number | null>();
    child.once('close', (code) => {
      resolve(code);
      this.#heard.resolve();
    });
    this.#child = child;
    this.done = promise;
  }

  async says(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.output)) {
      if (this.#child.exitCode !== null) throw new Error(`it ended and said only:\n${this.output}`);
      this.#heard = Promise.withResolvers();
      await this.#heard.promise;
    }
  }

  /** As Ctrl-C does. */
  interrupt(): void {
    this.#child.kill('SIGINT');
  }
}

async function run(...args: readonly string[]): Promise<string> {
  const command = new Command(args);
  expect(await command.done, command.output).toBe(0);
  return command.output;
}

test('the command line keeps a journal until Ctrl-C, alone on its spool, and says until when one can go back', async () => {
  await using server = await startPostgres({ major: 16 });
  await using scene = new JournalScene();
  const repository = ['--repo', join(scene.base, 'repository')];
  const source = ['--url', server.url, ...repository];
  const journal = ['postgres', 'journal', ...source, '--spool', scene.spool, '--rpo', '2s'];
  await run('repo', 'init', ...repository);
  await run('postgres', 'backup', ...source);

  const first = new Command(journal);
  await first.says(/Streaming from 127\.0\.0\.1:\d+, timeline 1, from /);
  const second = new Command(journal);
  expect(await second.done).toBe(1);
  expect(second.output).toContain('spool.locked');
  const slices = first.output.match(/Slice /g)?.length ?? 0;
  await server.query('CREATE TABLE orders AS SELECT generate_series(1, 1000) AS number');
  await first.says(new RegExp(`(Slice .*){${slices + 1}}`, 's'));
  first.interrupt();
  expect(await first.done, first.output).toBe(0);
  expect(first.output).toMatch(/Stopped after .* in the repository/);

  // The server is gone, and the journal is started again: what the spool has still gets into the repository.
  await server.kill();
  const afterwards = new Command(journal);
  await afterwards.says(/the spool holds.*Slice /s);
  afterwards.interrupt();
  expect(await afterwards.done, afterwards.output).toBe(0);

  // Somebody who stands in front of the wreck wants to be told when it is done.
  const drained = await run('postgres', 'journal', '--drain', '--spool', scene.spool, ...repository);
  expect(drained).toMatch(/Stopped after .* in the repository\n$/);
  const nowhere = new Command(['postgres', 'journal', '--drain', ...repository]);
  expect(await nowhere.done).toBe(2);

  const points = await run('postgres', 'points', '--json', ...repository);
  const [base] = points
    .split('\n')
    .filter((line) => line.startsWith('{"type":"base"'))
    .map((line) => JSON.parse(line) as { until?: { lsn: string } });
  expect(base?.until?.lsn).toMatch(/^[0-9A-F]+\/[0-9A-F]+$/);
  expect(await run('postgres', 'points', ...repository)).toContain('any moment until');
});
