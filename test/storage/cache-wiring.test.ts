import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { testWith } from '../servers/test-with.ts';
import { startVersitygw, versitygw } from '../servers/versitygw.ts';
import { commandLine } from '../stories/command-line.ts';

interface Traffic {
  readonly requests: Readonly<Record<string, number>>;
  readonly bytesReceived: number;
}

const withServer = testWith(versitygw);

withServer('the second command reads index, snapshots and trees from this machine', async ({ server }) => {
  await using running = await startVersitygw(server.path);
  using desk = commandLine({
    ...running.environment,
    HOLDFAST_REPOSITORY: `s3:${running.endpoint}/practice`,
    HOLDFAST_PASSWORD: 'far away',
  });
  const trafficOf = async (...words: string[]): Promise<Traffic> => {
    const said = await desk.run([...words, '--json']);
    expect(said.stderr).toBe('');
    return said.lines().find(({ type }) => type === 'summary')?.['traffic'] as Traffic;
  };
  const restore = (...more: string[]) => {
    rmSync(join(desk.directory, 'target'), { recursive: true, force: true });
    return trafficOf('files', 'restore', 'latest', '--target', 'target', ...more);
  };
  const cached = () => readdirSync(join(desk.directory, '.cache/holdfast'), { recursive: true }).map(String);

  mkdirSync(join(desk.directory, 'home/letters'), { recursive: true });
  writeFileSync(join(desk.directory, 'home/letters/first.txt'), 'Dear reader');
  await desk.run(['repo', 'init']);
  await trafficOf('files', 'backup', 'home');

  // Config, key and the one pack of contents: all else was kept while it was saved.
  expect((await restore()).requests).toMatchObject({ load: 3 });
  expect((await restore('--no-cache')).requests['load']).toBeGreaterThan(3);
  // At most one request a second costs seconds, and is counted all the same.
  expect((await restore('--limit-requests', '100')).requests).toMatchObject({ load: 3 });

  // A check looks at the real files; what it lists, and a forget removes, goes from this machine too.
  const before = cached().filter((name) => /snapshot\/./.test(name));
  expect(before).toHaveLength(1);
  await trafficOf('files', 'backup', 'home', '--tag', 'again');
  expect((await desk.run(['repo', 'check'])).exitCode).toBe(0);
  expect((await desk.run(['repo', 'forget', '--keep-last', '1'])).exitCode).toBe(0);
  const after = cached().filter((name) => /snapshot\/./.test(name));
  // The one that is kept, and the record by which the forgotten one could come back.
  expect(after).toHaveLength(2);
  expect(after).not.toContain(before[0]);
});
