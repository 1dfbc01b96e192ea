import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { openPosix } from '@holdfast/engine';
import { afterAll, expect, test } from 'vitest';
import { compareManifests, describeTree, type Manifest } from '../../app/src/demo/files/manifest.ts';
import { makeOddities } from '../../app/src/demo/files/oddities.ts';
import { commandLine } from './command-line.ts';

/*
 * One person's way with their files, in order: each test goes on where the one before it ended.
 */
const FIRST = 'the first secret word';
const SECOND = 'the second secret word';
const machine = commandLine({ HOLDFAST_REPOSITORY: 'repository', HOLDFAST_PASSWORD_FILE: 'first.key' });
const home = path.join(machine.directory, 'home');
const posix = openPosix();
afterAll(() => machine[Symbol.dispose]());

const at = (...parts: string[]) => path.join(machine.directory, ...parts);
const saved: Manifest[] = [];
const points: string[] = [];

async function backUp(...more: string[]): Promise<string> {
  saved.push(await describeTree(home, posix));
  const { exitCode, lines } = await machine.run(['files', 'backup', 'home', '--json', ...more]);
  expect(exitCode).toBe(0);
  const summary = lines().find((line) => line.type === 'summary');
  points.push(summary?.snapshot as string);
  return summary?.snapshot as string;
}

async function expectSame(state: number, directory: string): Promise<void> {
  const differences = compareManifests(saved[state] as Manifest, await describeTree(directory, posix));
  expect(differences).toEqual([]);
}

test('before there is a repository every command says so and ends with 10', async () => {
  writeFileSync(at('first.key'), `${FIRST}\n`);
  writeFileSync(at('second.key'), `${SECOND}\n`);
  for (const words of [['points'], ['repo', 'check'], ['files', 'backup', '.']]) {
    const { exitCode, stderr } = await machine.run(words);
    expect(exitCode).toBe(10);
    expect(stderr).toContain('there is no repository at');
    expect(stderr).toContain('holdfast repo init');
  }
});

test('a repository is made once', async () => {
  const made = await machine.run(['repo', 'init']);
  expect(made).toMatchObject({ exitCode: 0, stderr: '' });
  expect(made.stdout).toContain('Made repository');
  const again = await machine.run(['repo', 'init']);
  expect(again.exitCode).toBe(1);
  expect(again.stderr).toContain('repository.exists');
});

test('a first backup and, after a day of work, a second one', async () => {
  mkdirSync(path.join(home, 'letters', 'old'), { recursive: true });
  for (let number = 0; number < 300; number += 1) {
    writeFileSync(
      path.join(home, 'letters', `letter ${number}.txt`),
      `Dear reader ${number},\n`.repeat(number),
    );
  }
  writeFileSync(path.join(home, 'film.bin'), Buffer.alloc(5_000_000, 'frame by frame '));
  makeOddities(path.join(home, 'odd'), posix);
  await backUp();

  appendFileSync(path.join(home, 'letters', 'letter 7.txt'), 'PS: never mind.\n');
  rmSync(path.join(home, 'letters', 'letter 8.txt'));
  renameSync(path.join(home, 'letters', 'letter 9.txt'), path.join(home, 'letters', 'old', 'letter 9.txt'));
  symlinkSync('letter 1.txt', path.join(home, 'letters', 'newest'));
  const { exitCode, stdout } = await machine.run(['files', 'backup', 'home', '--dry-run']);
  expect(exitCode).toBe(0);
  expect(stdout).toContain('nothing was written');
  await backUp('--tag', 'after-work');
});

test('the points are listed, and filtered', async () => {
  const { exitCode, stdout } = await machine.run(['points']);
  expect(exitCode).toBe(0);
  for (const point of points) expect(stdout).toContain(point.slice(0, 8));
  expect(stdout).toContain('+07:00');
  const tagged = await machine.run(['points', '--tag', 'after-work', '--json']);
  expect(tagged.lines()).toMatchObject([{ type: 'point', id: points[1], paths: [home] }]);
});

test('files are listed, found and printed', async () => {
  const listed = await machine.run(['repo', 'ls', 'latest', '/home/letters', '--json']);
  expect(listed.lines().map(({ type }) => type)).not.toContain('error');
  expect(listed.lines()).toContainEqual(
    expect.objectContaining({ type: 'entry', kind: 'symlink', linkTarget: 'letter 1.txt' }),
  );
  const found = await machine.run(['repo', 'find', 'letter 8.txt', '--json']);
  expect(found.lines().map(({ snapshot }) => snapshot)).toEqual([points[0]]);
  const dumped = await machine.run(['repo', 'dump', 'latest', '/home/letters/letter 7.txt']);
  expect(dumped.stdout).toBe(readFileSync(path.join(home, 'letters', 'letter 7.txt'), 'utf8'));
});

test('what changed between two points is told as restic does', async () => {
  const { exitCode, stdout } = await machine.run(['repo', 'diff', 'latest~1', 'latest']);
  expect(exitCode).toBe(0);
  for (const line of [
    'M    /home/letters/letter 7.txt',
    '-    /home/letters/letter 8.txt',
    '+    /home/letters/old/letter 9.txt',
    '+    /home/letters/newest',
  ]) {
    expect(stdout).toContain(line);
  }
});

test('everything comes back, of both points, with every attribute', async () => {
  for (const [state, point] of points.entries()) {
    const target = at(`back ${state}`);
    const { exitCode } = await machine.run(['files', 'restore', point, '--target', target, '--verify']);
    expect(exitCode).toBe(0);
    await expectSame(state, path.join(target, 'home'));
  }
});

test('chosen files come back alone', async () => {
  const words = ['files', 'restore', 'latest:home/letters', '-t', at('some'), '-i', 'letter 7.txt'];
  expect((await machine.run(words)).exitCode).toBe(0);
  expect(readdirSync(at('some'))).toEqual(['letter 7.txt']);
});

test('a changed tree is made equal again, deleting only what was agreed to', async () => {
  const target = at('back 1');
  writeFileSync(path.join(target, 'home', 'letters', 'letter 7.txt'), 'scribbled over');
  mkdirSync(path.join(target, 'home', 'letters', 'stray'));
  writeFileSync(path.join(target, 'home', 'letters', 'stray', 'stranger'), 'not in the point');
  const words = ['files', 'restore', points[1] as string, '-t', target, '--delete'];

  const refused = await machine.run(words);
  expect(refused.exitCode).toBe(2);
  expect(refused.stdout).toContain('/home/letters/stray/stranger');
  expect(existsSync(path.join(target, 'home', 'letters', 'stray', 'stranger'))).toBe(true);

  const [plan] = (await machine.run([...words, '--dry-run', '--json'])).lines();
  expect(plan).toMatchObject({
    type: 'plan',
    deletions: ['/home/letters/stray/stranger', '/home/letters/stray/'],
  });
  const agreed = await machine.run([...words, '--consent', plan?.token as string]);
  expect(agreed).toMatchObject({ exitCode: 0, stderr: '' });
  await expectSame(1, path.join(target, 'home'));
});

test('what comes from another program is saved too', async () => {
  const words = ['files', 'backup', '--stdin', '--stdin-filename', 'shop.sql', '--host', 'db-2'];
  expect((await machine.run(words, { input: 'CREATE TABLE orders;\n' })).exitCode).toBe(0);
  const dumped = await machine.run(['repo', 'dump', 'latest', '/shop.sql', '--host', 'db-2']);
  expect(dumped.stdout).toBe('CREATE TABLE orders;\n');
});

test('points are forgotten for a reason, and prune frees what they held', async () => {
  rmSync(path.join(home, 'film.bin'));
  await backUp();
  const rules = ['repo', 'forget', '--keep-last', '1', '--path', home];
  const shown = await machine.run([...rules, '--dry-run']);
  expect(shown.stdout).toContain('2 points would be forgotten, 1 point kept');
  expect(shown.stdout).toContain('last snapshot');
  const [plan, summary] = (await machine.run([...rules, '--json'])).lines();
  expect(plan).toMatchObject({ type: 'plan', keep: [{ id: points[2], reasons: ['last snapshot'] }] });
  expect(summary).toMatchObject({ type: 'summary', forgotten: 2 });

  const before = await machine.run(['repo', 'stats', '--mode', 'raw-data', '--json']);
  const pruned = await machine.run(['repo', 'prune', '--max-unused', '0']);
  expect(pruned).toMatchObject({ exitCode: 0, stderr: '' });
  expect(pruned.stdout).toContain('Freed');
  const after = await machine.run(['repo', 'stats', '--mode', 'raw-data', '--json']);
  expect(after.lines()).toEqual(before.lines());
});

test('a check reads every byte, and what was kept still comes back', async () => {
  const checked = await machine.run(['repo', 'check', '--read-data']);
  expect(checked).toMatchObject({ exitCode: 0, stderr: '' });
  expect(checked.stdout).toContain('No errors in 2 snapshots');
  expect((await machine.run(['files', 'restore', points[2] as string, '-t', at('back 2')])).exitCode).toBe(0);
  await expectSame(2, at('back 2', 'home'));
});

test('keys are added, changed and removed', async () => {
  const second = { HOLDFAST_PASSWORD_FILE: 'second.key' };
  expect((await machine.run(['points'], { environment: second })).exitCode).toBe(12);
  const added = await machine.run([
    'repo',
    'key',
    'add',
    '--new-password-file',
    'second.key',
    '--user',
    'ben',
  ]);
  expect(added.exitCode).toBe(0);
  expect((await machine.run(['points'], { environment: second })).exitCode).toBe(0);

  const keys = (await machine.run(['repo', 'key', 'list', '--json'])).lines();
  expect(keys).toMatchObject([
    { type: 'key', current: true },
    { user: 'ben', current: false },
  ]);
  const own = keys[0]?.id as string;
  expect((await machine.run(['repo', 'key', 'remove', own.slice(0, 10)])).exitCode).toBe(1);
  const removed = await machine.run(['repo', 'key', 'remove', own.slice(0, 10)], { environment: second });
  expect(removed.exitCode).toBe(0);
  expect((await machine.run(['points'])).exitCode).toBe(12);

  const passwd = ['repo', 'key', 'passwd', '--new-password-file', 'first.key'];
  expect((await machine.run(passwd, { environment: second })).exitCode).toBe(0);
  expect((await machine.run(['points'], { environment: second })).exitCode).toBe(12);
  expect((await machine.run(['points'])).exitCode).toBe(0);
});

test('a repository that somebody else holds is left alone, exit 11, until it is unlocked', async () => {
  // A lock that cannot be read belongs to somebody: it holds everybody up.
  writeFileSync(at('repository', 'locks', 'a'.repeat(64)), 'no lock that anybody can read');
  const locked = await machine.run(['repo', 'prune']);
  expect(locked.exitCode).toBe(11);
  expect(locked.stderr).toContain('holdfast repo unlock');
  expect((await machine.run(['points', '--no-lock'])).exitCode).toBe(0);
  expect((await machine.run(['repo', 'unlock', '--remove-all'])).exitCode).toBe(0);
  expect((await machine.run(['repo', 'prune'])).exitCode).toBe(0);
});

test('what cannot be read is named, and the backup ends with 3', async () => {
  // Nobody forbids root to read a file; the memory of a process at address 0 is what even root cannot read.
  const unreadable = process.getuid?.() === 0 ? `/proc/${process.pid}/mem` : path.join(home, 'locked away');
  if (process.getuid?.() !== 0) {
    writeFileSync(unreadable, 'secret');
    chmodSync(unreadable, 0);
  }
  const words = ['files', 'backup', 'home', unreadable];
  const { exitCode, stdout, stderr } = await machine.run(words);
  expect(exitCode).toBe(3);
  expect(stdout).toContain(`✖ ${unreadable}`);
  expect(stdout).toContain('Saved snapshot');
  expect(stderr).toContain('1 file could not be read');
  const last = (await machine.run([...words, '--json'])).lines().at(-1);
  expect(last).toMatchObject({ type: 'error', code: 'incomplete', exitCode: 3 });
});

test('with --quiet nothing is said when all is well', async () => {
  for (const words of [
    ['files', 'backup', 'home/letters', '-q'],
    ['files', 'restore', 'latest', '-t', at('quiet'), '-q'],
    ['repo', 'check', '-q'],
    ['repo', 'prune', '-q'],
    ['repo', 'forget', '--keep-last', '1', '-q'],
    ['repo', 'unlock', '-q'],
  ]) {
    expect(await machine.run(words)).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
  }
});

test('every JSON line has a type that the documentation knows', async () => {
  const page = readFileSync(new URL('../../docs/json-lines.md', import.meta.url), 'utf8');
  const documented = [...page.matchAll(/^\| `(\w+)` \|/gm)].map((match) => match[1]);
  for (const words of [
    ['points'],
    ['files', 'backup', 'home/letters'],
    ['files', 'restore', 'latest', '-t', at('json')],
    ['repo', 'ls', 'latest'],
    ['repo', 'find', '*.txt'],
    ['repo', 'diff', 'latest~1', 'latest'],
    ['repo', 'check', '--read-data'],
    ['repo', 'stats'],
    ['repo', 'key', 'list'],
    ['repo', 'forget', '--keep-last', '5', '--dry-run'],
    ['repo', 'prune', '--dry-run'],
    ['repo', 'unlock'],
    ['repo', 'ls', 'no-such-point'],
  ]) {
    const said = await machine.run([...words, '--json']);
    expect(said.stderr).toBe('');
    expect(said.lines()).not.toEqual([]);
    for (const line of said.lines()) expect(documented).toContain(line.type);
  }
});

test('no password was printed by anything', () => {
  expect(machine.transcript.length).toBeGreaterThan(10_000);
  for (const secret of [FIRST, SECOND]) expect(machine.transcript).not.toContain(secret);
});
