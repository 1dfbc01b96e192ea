import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { startPostgres } from '../servers/postgres.ts';
import { JournalScene, makeWal } from './journal-scene.ts';

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

/** The JSON lines of an output. */
function records(output: string): Record<string, unknown>[] {
  return output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
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

test('a journal sees to its base: at its beginning, and after a gap, while the stream goes on', async () => {
  await using server = await startPostgres({
    major: 17,
    settings: { wal_keep_size: '0', min_wal_size: '32MB', max_wal_size: '48MB' },
  });
  await using scene = new JournalScene();
  const repository = ['--repo', join(scene.base, 'repository')];
  const journal = ['postgres', 'journal', '--url', server.url, ...repository, '--spool', scene.spool];
  await run('repo', 'init', ...repository);

  const first = new Command([...journal, '--rpo', '2s', '--json']);
  await first.says(/"event":"base-taken"/);
  await server.query('CREATE TABLE orders AS SELECT generate_series(1, 1000) AS number');
  await first.says(/"event":"shipped"(.|\n)*"type":"status".*"repositoryLagMilliseconds":0/);
  first.interrupt();
  expect(await first.done, first.output).toBe(0);
  const told = records(first.output);
  expect(told.filter(({ type }) => type === 'finding').map(({ code }) => code)).toEqual([
    'journal.base-missing',
  ]);
  expect(told.at(-1)).toMatchObject({ type: 'summary', gaps: 0 });
  expect(told.findLast(({ type }) => type === 'status')).toMatchObject({
    timeline: 1,
    flushedLsn: expect.stringMatching(/^[0-9A-F]+\/[0-9A-F]+$/),
    spoolLagMilliseconds: expect.any(Number),
  });

  await server.query("SELECT pg_drop_replication_slot('holdfast')");
  for (let round = 0; round < 4; round += 1) {
    await makeWal(server, 20 * 2 ** 20);
    await server.query('SELECT pg_switch_wal()');
    await server.query('CHECKPOINT');
  }
  // One that is told not to says what is missing, as does the next, which did not see the gap itself.
  const idle = new Command([...journal, '--rpo', '2s', '--json', '--no-base-after-gap']);
  await idle.says(/"code":"journal\.base-missing"/);
  await idle.says(/"event":"shipped"/);
  idle.interrupt();
  expect(await idle.done, idle.output).toBe(0);
  expect(records(idle.output).filter(({ event }) => event === 'gap')).toHaveLength(1);
  expect(idle.output).not.toContain('base-taken');

  const third = new Command([...journal, '--rpo', '2s', '--json']);
  await third.says(/"event":"base-taken"/);
  await server.query('INSERT INTO orders SELECT generate_series(1001, 1500)');
  await third.says(/"event":"base-taken"(.|\n)*"event":"shipped"(.|\n)*"event":"shipped"/);
  third.interrupt();
  expect(await third.done, third.output).toBe(0);
  expect(records(third.output).filter(({ event }) => event === 'gap')).toEqual([]);

  const fourth = new Command([...journal, '--rpo', '2s', '--json']);
  await fourth.says(/"event":"shipped"/);
  await fourth.says(/"type":"status"/);
  fourth.interrupt();
  expect(await fourth.done, fourth.output).toBe(0);
  expect(fourth.output).not.toMatch(/base-missing|base-taken/);

  const points = records(await run('postgres', 'points', '--json', ...repository));
  const bases = points.filter(({ type }) => type === 'base');
  expect(bases).toHaveLength(2);
  expect(bases.every(({ until }) => until !== undefined)).toBe(true);
  expect(points.filter(({ type }) => type === 'gap')).toHaveLength(1);
}, 300_000);

test('a server with wal_level = minimal is refused with the lines that mend it', async () => {
  await using server = await startPostgres({
    major: 16,
    settings: { wal_level: 'minimal', max_wal_senders: '0' },
  });
  await using scene = new JournalScene();
  const repository = ['--repo', join(scene.base, 'repository')];
  await run('repo', 'init', ...repository);
  const command = new Command([
    'postgres',
    'journal',
    '--url',
    server.url,
    ...repository,
    '--spool',
    scene.spool,
  ]);
  expect(await command.done).toBe(1);
  expect(command.output).toContain('wal_level is minimal');
  expect(command.output).toContain("ALTER SYSTEM SET wal_level = 'replica';");
});

test('a role without REPLICATION is refused with the line that mends it', async () => {
  await using server = await startPostgres({ major: 16 });
  await using scene = new JournalScene();
  await server.query('CREATE ROLE weak LOGIN');
  const repository = ['--repo', join(scene.base, 'repository')];
  await run('repo', 'init', ...repository);
  const url = server.url.replace('postgres@', 'weak@');
  const command = new Command(['postgres', 'journal', '--url', url, ...repository, '--spool', scene.spool]);
  expect(await command.done).toBe(14);
  expect(command.output).toContain('ALTER ROLE "weak" REPLICATION;');
});
