import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { CONFIG, createLocal, systemClock } from '@holdfast/engine';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runProgram } from '../../cli/program.ts';
import { allCommands } from '../../testing/all-commands.ts';
import { recordedContext } from '../../testing/context.ts';
import { checkPolicy } from './check.ts';
import { explainPolicy } from './explain.ts';

let base: string;
beforeEach(() => {
  base = mkdtempSync(path.join(tmpdir(), 'holdfast-policy-'));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const machine = {
  clock: systemClock,
  environment: { PW: 'sesame' },
  homeDirectory: '/home/anna',
  hostname: hostname(),
  timeZone: 'UTC',
};

async function run(...words: string[]) {
  const context = recordedContext();
  const parts = { checkPolicy: checkPolicy(machine), explainPolicy: explainPolicy(machine) };
  const exitCode = await runProgram(words, context, { version: '1.2.3', registrations: allCommands(parts) });
  return { exitCode, ...context.written };
}

async function findings(...words: string[]): Promise<Record<string, unknown>[]> {
  const { stdout } = await run('policy', 'check', '--json', ...words);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

function write(text: string): string {
  const file = path.join(base, 'holdfast.yaml');
  writeFileSync(file, text);
  return file;
}

/** A policy of a directory that is saved beside itself. */
function beside(more = ''): string {
  mkdirSync(path.join(base, 'files'));
  return write(`
repositories:
  main: { url: ${base}/main, password: { env: PW }${more} }
  copy: { url: ${base}/copy, password: { env: PW }${more} }
sources:
  home: { files: ${base}/files }
copies: [ { from: main, to: copy } ]
`);
}

test.each(['a', 'b'])('the example %s is a policy whose promises hold', async (name) => {
  const file = new URL(`../../../../examples/${name}.yaml`, import.meta.url).pathname;
  const { exitCode, stdout } = await run('policy', 'check', file);
  expect(stdout).toContain('is a policy');
  expect(exitCode).toBe(0);
  expect((await run('policy', 'explain', file)).exitCode).toBe(0);
});

test('a mistake is shown in its line, with a mark below it and what was meant', async () => {
  const file = write(
    'repositories:\n  main: { url: /srv/b, password: hunter2 }\nsources:\n  a: { files: /x, kep: 7d }\n',
  );
  const { exitCode, stdout, stderr } = await run('policy', 'check', file);
  expect(exitCode).toBe(1);
  expect(stdout.replaceAll(base, '')).toBe(`✖ repositories.main.password  /holdfast.yaml:2:34
2 │   main: { url: ••••••, password: ••••••••
  │                                  ^^^^^^^^
    a secret must not stand in a policy
    write \`password: { file: /run/secrets/… }\`, or env or command instead of file

✖ sources.a.kep  /holdfast.yaml:4:19
4 │   a: { files: /x, kep
  │                   ^^^
    \`kep\` is not known here
    did you mean \`keep\`?
`);
  expect(stderr).toContain('2 things must be mended');
});

test('a line that is longer than the screen is shown where it is wrong', async () => {
  const file = write(`sources: { a: { files: [${'/some/path, '.repeat(20)}/x], snapshot: 99 * * * * } }\n`);
  const { stdout } = await run('policy', 'check', file);
  const lines = stdout.split('\n');
  expect(Math.max(...lines.slice(1, 3).map((line) => line.length))).toBeLessThanOrEqual(100);
  const at = lines.findIndex((line) => line.includes('99 * * * *'));
  expect(lines[at + 1]?.indexOf('^')).toBe(lines[at]?.indexOf('99 *'));
});

test('a repository beside its source is an error, unless that is accepted', async () => {
  const file = beside();
  const refused = await run('policy', 'check', file);
  expect(refused.exitCode).toBe(1);
  expect(refused.stdout).toMatch(/✖ Repository main is on the same disk as home/);
  rmSync(path.join(base, 'files'), { recursive: true });
  const accepted = await run('policy', 'check', beside(', sameHost: accepted'));
  expect(accepted.exitCode).toBe(0);
  expect(accepted.stdout).toMatch(/\? Repository main is on the same disk as home/);
});

test('with --probe it is tried whether the copies could be deleted, and nothing stays', async () => {
  const file = beside(', sameHost: accepted');
  const copy = await createLocal({ path: path.join(base, 'copy') });
  await copy.save(CONFIG, Buffer.from('not to be touched'));
  const codes = async (...words: string[]) => (await findings(file, ...words)).map(({ code }) => code);
  expect(await codes()).toContain('policy.copy-removable-unknown');
  expect(await codes('--probe')).toContain('policy.copy-removable');
  const files = readdirSync(path.join(base, 'copy'), { recursive: true, withFileTypes: true });
  expect(files.filter((entry) => entry.isFile()).map(({ name }) => name)).toEqual(['config']);
});

test('where there is no repository yet the probe knows nothing, and says so', async () => {
  const found = await findings(beside(), '--probe');
  expect(found.map(({ code }) => code)).toContain('policy.copy-removable-unknown');
});

test('a server by a name or an address of this machine is on it', async () => {
  const server = (host: string) => `
repositories: { main: { url: ${base}/main, password: { env: PW } } }
sources: { db: { postgres: "postgres://u@${host}/d" } }
`;
  for (const host of ['localhost', '127.0.0.1', '[::1]', hostname()]) {
    const found = await findings(write(server(host)));
    expect([host, found.map(({ code }) => code)]).toEqual([
      host,
      expect.arrayContaining(['policy.same-host']),
    ]);
  }
  const elsewhere = await findings(write(server('db.invalid')));
  expect(elsewhere.map(({ code }) => code)).not.toContain('policy.same-host');
});

test('a secret that everybody may read, or nobody, is told of by its name', async () => {
  const open = path.join(base, 'open');
  writeFileSync(open, 'sesame');
  chmodSync(open, 0o644);
  const file = write(`
repositories: { main: { url: ${base}/main, password: { file: ${open} } } }
sources: { db: { postgres: { url: { env: NOPE } } } }
`);
  const found = await findings(file);
  expect(found).toContainEqual(
    expect.objectContaining({ code: 'policy.secret-exposed', subject: 'repository main' }),
  );
  expect(found).toContainEqual(
    expect.objectContaining({ code: 'policy.secret-unreadable', subject: 'source db' }),
  );
  expect(JSON.stringify(found)).not.toContain('sesame');
});

test('a file that is not there is asked for by its three names', async () => {
  const { exitCode, stderr } = await run('policy', 'check', path.join(base, 'none.yaml'));
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(/no such file/);
  expect(stderr).toContain('HOLDFAST_POLICY');
});

test('bytes that are no text are said to be none', async () => {
  const file = path.join(base, 'holdfast.yaml');
  writeFileSync(file, Buffer.from([0x61, 0x3a, 0xff]));
  expect((await run('policy', 'explain', file)).stderr).toContain('not UTF-8');
});

test('the schema is the one that is published', async () => {
  const published = readFileSync(new URL('../../../../docs/policy.schema.json', import.meta.url), 'utf8');
  expect((await run('policy', 'schema')).stdout).toBe(published);
});
