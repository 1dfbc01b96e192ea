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

function expectAllCounted(summary: Record<string, Record<string, number>>) {
  expect(summary).toMatchObject({ type: 'summary', story: 'policy', differences: [] });
  for (const name of ['drop', 'powerCut', 'offsite']) {
    expect(summary[name]?.['restored']).toBe(summary[name]?.['orders']);
  }
  expect(summary['lost']).toMatchObject({ withSpool: { orders: 0 } });
  expect(summary['outage']?.['told']).toBeGreaterThan(0);
}

function expectReadable({ stdout }: Said) {
  const tooLong = stdout.split('\n').filter((line) => line.length > 100 && !line.includes('/'));
  expect(tooLong).toEqual([]);
}

/** The command lines of what works below a directory: servers, and control planes. */
function processesOf(directory: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => commandOf(pid))
    .filter((command) => /postgres -D|main\.ts up/.test(command) && command.includes(directory));
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

test('the demo keeps a shop by a policy, and brings every confirmed order back', async () => {
  const said = await machine.run(['demo']);
  expectAllBack(said, ORDERS, 3);
  expectReadable(said);
  expect(said.stdout).toMatch(/✔ orders {2}RPO 8 s/);
  expect(said.stdout).toMatch(/“The last copy of main → offsite failed: /);
  expect(said.stdout).toMatch(/the webhook hears “resolved”, status is good/);
  expect(said.stdout).toMatch(/✔ 1,240 of 1,240 files, .* every byte compared/);
  expect(said.stdout).toMatch(
    /RPO {2}0 orders with the spool\n +[\d,]+ orders?, .* with the offsite copy alone/,
  );
  expect(said.stdout).toMatch(/RTO {2}\d+\.\d s and \d+\.\d s, /);
  expect(processesOf(path.dirname(serversPlace(said.stdout)))).toEqual([]);
});

test('Ctrl-C leaves nothing running', async () => {
  const place = path.join(machine.directory, 'interrupted');
  const demo = machine.start(['demo', '--directory', place]);
  await demo.says(/4 {2}Working/);
  demo.kill('SIGINT');
  const { exitCode, stdout, stderr } = await demo.said;
  expect(exitCode).toBe(130);
  expect(stderr).toContain('interrupted');
  expect(processesOf(path.dirname(serversPlace(stdout)))).toEqual([]);
});

test('what a killed demo has left running is stopped by the next one', async () => {
  const sockets = socketDirectories();
  const place = path.join(machine.directory, 'killed');
  const demo = machine.start(['demo', '--directory', place]);
  await demo.says(/4 {2}Working/);
  demo.kill('SIGKILL');
  const servers = serversPlace((await demo.said).stdout);
  expect(processesOf(servers)).toHaveLength(1);
  expect(processesOf(path.dirname(servers)).length).toBeGreaterThan(1);
  const next = machine.start(['demo', '--directory', place]);
  await next.says(/2 {2}A policy/);
  next.kill('SIGINT');
  await next.said;
  expect(processesOf(path.dirname(servers))).toEqual([]);
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

  test('the demo plays in a home with a space in its name, and is told to a program', async ({
    task,
    skip,
  }) => {
    if (!isOpen(fileURLToPath(new URL('../..', import.meta.url)))) {
      task.meta.impossible = true;
      skip('an ordinary user may not enter this checkout');
    }
    person = commandLine({}, NOBODY);
    const { exitCode, lines } = await person.run(['demo', '--json']);
    expect(exitCode).toBe(0);
    expectAllCounted(lines()[0] as Record<string, Record<string, number>>);
    expect(existsSync(path.join(person.directory, '.cache/holdfast/demo/offsite/config'))).toBe(true);
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
