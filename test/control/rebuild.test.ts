import { appendFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { dumpCatalog } from '../../app/src/catalog/rebuild.ts';
import { type RunningPostgres, startPostgres } from '../servers/postgres.ts';
import { type CommandLine, commandLine } from '../stories/command-line.ts';
import { ControlScene } from './control-scene.ts';

/** A shop with files and a database, both copied, in one directory. */
async function shop(scene: ControlScene, machine: CommandLine, { url }: RunningPostgres) {
  const at = (name: string) => path.join(scene.directory, name);
  await mkdir(at('media'));
  await writeFile(at('media/one.txt'), 'one');
  await writeFile(at('password'), 'open sesame');
  await writeFile(
    at('holdfast.yaml'),
    `stack: shop
timezone: UTC
repositories:
  main: { url: ${at('main')}, password: { file: ${at('password')} }, sameHost: accepted, retention: { every: 5s }, check: { every: 5s } }
  offsite: { url: ${at('offsite')}, password: { file: ${at('password')} }, sameHost: accepted, place: elsewhere }
sources:
  media: { files: { paths: [${at('media')}] }, to: main, snapshot: { every: 3s }, keep: { last: 3 }, objective: { rpo: 60s } }
  orders: { postgres: { url: "${url}", checkpoint: fast }, to: main, snapshot: { every: 10s }, journal: continuous, keep: 1h, objective: { rpo: 4s } }
copies:
  - { from: main, to: offsite }
`,
  );
  for (const name of ['main', 'offsite']) {
    const made = await machine.run(['repo', 'init', '--repo', at(name), '--password-file', at('password')]);
    expect(made.stderr).toBe('');
  }
  return { policy: at('holdfast.yaml'), at };
}

/** What the memory holds while no control plane runs. */
async function remembered(scene: ControlScene): Promise<string[]> {
  await using state = await scene.open();
  return await Array.fromAsync(dumpCatalog(state.database));
}

test('a control plane that has lost its memory remembers all again from the policy and the repositories', async () => {
  await using scene = await ControlScene.create();
  await using server = await startPostgres({ major: 16 });
  using machine = commandLine({});
  const { policy, at } = await shop(scene, machine, server);
  await server.query('CREATE TABLE orders (number int)');
  const words = ['--policy', policy, '--state', scene.directory];

  const up = machine.start(['up', '--json', ...words]);
  for (const event of [
    /"event":"ended".*"kind":"copy".*"step":"survey"/,
    /"event":"ended".*"kind":"snapshot","about":"orders".*"outcome":"done"/,
    /"event":"ended".*"kind":"check".*"outcome":"done"/,
    /"event":"ended".*"kind":"retention".*"step":"survey"/,
  ]) {
    await up.says(event);
    await server.query('INSERT INTO orders VALUES (1)');
    await server.query('SELECT pg_switch_wal()');
  }
  await appendFile(policy, '# still ours\n');
  await up.says(/"event":"policy"/);
  up.kill('SIGTERM');
  expect((await up.said).exitCode).toBe(0);

  const before = await remembered(scene);
  const kinds = before.map((line) => (JSON.parse(line) as { record: string }).record);
  expect(kinds).toEqual(expect.arrayContaining(['point', 'window', 'run']));

  await rm(path.join(scene.directory, 'database'), { recursive: true });
  await rm(path.join(scene.directory, 'journal'), { recursive: true });
  const rebuilt = await machine.run(['catalog', 'rebuild', '--json', ...words]);
  expect(rebuilt.stderr).not.toContain('✖');
  expect(rebuilt.exitCode).toBe(0);
  expect(await remembered(scene)).toEqual(before);

  const place = ['--repo', at('offsite'), '--password-file', at('password'), '--tag', 'holdfast:record'];
  const dumped = await machine.run(['repo', 'dump', ...place, 'latest', 'holdfast/policy.yaml']);
  expect(dumped.stdout).toBe(await readFile(policy, 'utf8'));

  // One of the two is away: what is remembered of it stays, and it is said.
  await rm(at('offsite'), { recursive: true });
  const again = await machine.run(['catalog', 'rebuild', ...words]);
  expect(again.exitCode).toBe(3);
  expect(again.stdout).toContain('offsite');
  expect(await remembered(scene)).toEqual(before);
});
