import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { type CommandLine, commandLine, type Person, type Said } from './command-line.ts';

const machine = commandLine({});
afterAll(() => machine[Symbol.dispose]());

const FILES = /✔ ([\d,]+) of ([\d,]+) files/g;
const ORDERS = /✔ ([\d,]+) of ([\d,]+) orders/g;

/** How often something was counted, and that each time all of it was there. */
function expectAllBack({ exitCode, stdout, stderr }: Said, counted: RegExp, times: number) {
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  const counts = [...stdout.matchAll(counted)].map(([, back, all]) => [back, all]);
  expect(counts).toHaveLength(times);
  for (const [back, all] of counts) {
    expect(back).toBe(all);
    expect(Number(back?.replaceAll(',', ''))).toBeGreaterThan(10_000);
  }
}

function expectReadable({ stdout }: Said) {
  const tooLong = stdout.split('\n').filter((line) => line.length > 100 && !line.includes('/'));
  expect(tooLong).toEqual([]);
}

/** The command lines of servers that work below a directory. */
function serversOf(directory: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => commandOf(pid))
    .filter((command) => command.includes('postgres') && command.includes(directory));
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

test('the demo loses a table and a server under load, and brings every confirmed order back', async () => {
  const said = await machine.run(['demo']);
  expectAllBack(said, ORDERS, 3);
  expectReadable(said);
  expect(said.stdout).toMatch(
    /RPO {2}0 orders with the spool\n +[\d,]+ orders?, .* with the repository alone/,
  );
  expect(said.stdout).toMatch(/RTO {2}\d+\.\d s and \d+\.\d s, /);
});

test('it can be told to a program, and again in the same place', async () => {
  const { exitCode, lines } = await machine.run(['demo', '--json']);
  expect(exitCode).toBe(0);
  const [summary] = lines() as [Record<string, Record<string, number>>];
  expect(summary).toMatchObject({ type: 'summary', story: 'postgres', differences: [] });
  for (const name of ['drop', 'powerCut']) {
    expect(summary[name]?.['restored']).toBe(summary[name]?.['orders']);
    expect(summary[name]?.['rto']).toBeGreaterThan(0);
  }
  expect(summary['lost']).toMatchObject({ withSpool: { orders: 0 } });
});

test('Ctrl-C leaves no server running', async () => {
  const place = path.join(machine.directory, 'interrupted');
  const demo = machine.start(['demo', '--directory', place]);
  await demo.says(/3 {2}Working/);
  demo.kill('SIGINT');
  const { exitCode, stdout, stderr } = await demo.said;
  expect(exitCode).toBe(130);
  expect(stderr).toContain('interrupted');
  expect(serversOf(serversPlace(stdout))).toEqual([]);
});

test('a server that a killed demo has left is stopped by the next one', async () => {
  const sockets = socketDirectories();
  const place = path.join(machine.directory, 'killed');
  const demo = machine.start(['demo', '--directory', place]);
  await demo.says(/3 {2}Working/);
  demo.kill('SIGKILL');
  const servers = serversPlace((await demo.said).stdout);
  expect(serversOf(servers)).toHaveLength(1);
  const next = machine.start(['demo', '--directory', place]);
  await next.says(/3 {2}Working/);
  expect(serversOf(servers)).toHaveLength(1);
  next.kill('SIGINT');
  await next.said;
  expect(serversOf(servers)).toEqual([]);
  expect(socketDirectories()).toEqual(sockets);
});

function socketDirectories(): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith('holdfast-demo-'));
}

/** Where the story says that its servers are. */
function serversPlace(stdout: string): string {
  return /in (.*\/servers)$/m.exec(stdout)?.[1]?.replace(/^~/, machine.directory) ?? 'not told';
}

describe.skipIf(process.getuid?.() !== 0)('as an ordinary user', () => {
  let person: CommandLine;
  afterAll(() => person[Symbol.dispose]());

  test('the demo plays in a home with a space in its name', async ({ task, skip }) => {
    if (!isOpen(fileURLToPath(new URL('../..', import.meta.url)))) {
      task.meta.impossible = true;
      skip('an ordinary user may not enter this checkout');
    }
    person = commandLine({}, NOBODY);
    expectAllBack(await person.run(['demo']), ORDERS, 3);
    expect(existsSync(path.join(person.directory, '.cache/holdfast/demo/repository/config'))).toBe(true);
  });
});

const NOBODY: Person = { uid: 65_534, gid: 65_534 };

function isOpen(directory: string): boolean {
  const open = (statSync(directory).mode & 0o005) === 0o005;
  return open && (directory === path.dirname(directory) || isOpen(path.dirname(directory)));
}

test('the story of files brings more than 10,000 files back, of two points', async () => {
  const place = path.join(machine.directory, 'a place with spaces');
  const said = await machine.run(['demo', 'files', '--directory', place]);
  expectAllBack(said, FILES, 2);
  expectReadable(said);
});

test('a directory that somebody else uses is not touched', async () => {
  const place = path.join(machine.directory, 'mine');
  mkdirSync(path.join(place, 'shop'), { recursive: true });
  writeFileSync(path.join(place, 'shop', 'keep me'), 'precious');
  const { exitCode, stderr } = await machine.run(['demo', '--directory', place]);
  expect(exitCode).toBe(1);
  expect(stderr).toContain('target.not-empty');
  expect(existsSync(path.join(place, 'shop', 'keep me'))).toBe(true);
});
