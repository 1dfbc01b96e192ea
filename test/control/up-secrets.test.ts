import { readFileSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { Session } from '../../app/src/state/session.ts';
import { startHttpSink } from '../servers/http-sink.ts';
import { startPostgres } from '../servers/postgres.ts';
import { PolicyScene, until } from './policy-scene.ts';

test('no secret that a policy refers to is said, shown, remembered or handed on', async () => {
  await using scene = await PolicyScene.create();
  await using server = await startPostgres({
    major: 17,
    hostBasedAuthentication: ['host all,replication saver 127.0.0.1/32 scram-sha-256'],
  });
  await using sink = await startHttpSink();
  const secrets = {
    repository: 'planted-repository-7f3a',
    login: 'planted-login-91cc',
    path: 'planted-path-55d0',
    signing: 'planted-signing-e21b',
    smtp: 'planted-smtp-0b8e',
    wrong: 'planted-wrong-c44f',
  };
  await server.query(`CREATE ROLE saver SUPERUSER LOGIN REPLICATION PASSWORD '${secrets.login}'`);
  await writeFile(scene.passwordFile, secrets.repository);
  const file = async (name: string, content: string) => {
    await writeFile(scene.path(name), content, { mode: 0o600 });
    return { file: scene.path(name) };
  };
  const address = `postgres://saver@127.0.0.1:${server.port}/postgres`;
  const often = { snapshot: { every: '3s' }, keep: { last: 3 }, retry: { limit: 0 } };
  const leak = scene.path('environment-of-a-hook');
  await scene.writePolicy({
    stack: 'quiet',
    repositories: { main: await scene.repository('main', { retention: { every: '4s' } }) },
    sources: {
      metadata: {
        postgres: { url: address, password: await file('login', secrets.login) },
        journal: 'continuous',
        ...often,
      },
      // Things go wrong as well, and say why.
      closed: { postgres: { url: address, password: await file('wrong', secrets.wrong) }, ...often },
      media: {
        files: await scene.files('media', 1),
        hooks: [{ before: `env > ${leak}; ps ww -e -o args >> ${leak}` }],
        ...often,
      },
    },
    alerts: {
      group: '1s',
      to: [
        {
          webhook: await file('webhook', `${sink.url}/${secrets.path}`),
          secret: await file('signing', secrets.signing),
        },
        { name: 'gone', webhook: await file('gone', `http://127.0.0.1:9/${secrets.path}`) },
        { email: 'ops@example.com', server: { env: 'SMTP_SERVER' } },
      ],
    },
  });
  const environment = { SMTP_SERVER: `smtp://mail:${secrets.smtp}@127.0.0.1:9` };
  await using up = scene.up(environment);
  const commandLines = new Set<string>();
  const look = async () => {
    for (const line of (await scene.processes()).values()) commandLines.add(line);
  };
  // Alerts have gone out, and have failed to.
  await until('each has done something', async () => {
    await look();
    const has = (about: string, outcome: string) =>
      up.events.some((one) => one.event === 'ended' && one['about'] === about && one['outcome'] === outcome);
    return has('metadata', 'done') && has('media', 'done') && has('closed', 'failed') && has('main', 'done');
  });
  await until('somebody is told', async () => sink.received.length > 0);
  const failing = ({ code }: { readonly code: string }) => code === 'delivery.failing';
  await scene.judged('a channel fails, and it is known', ({ problems }) => problems.some(failing));
  await look();
  expect([...commandLines].join('\n')).toMatch(/ worker/);

  const status = await scene.run(['status', '--json', '--state', scene.stateDirectory]);
  const runs = await scene.run(['runs', '--json', '--last', '100', '--state', scene.stateDirectory]);
  const test = await scene.run(['alerts', 'test', '--policy', scene.policyFile], environment);
  const memory = await memoryOf(scene);
  await up.stop();
  const written: Readonly<Record<string, string>> = {
    transcript: up.transcript,
    status: status.stdout + status.stderr,
    runs: runs.stdout + runs.stderr,
    test: test.stdout + test.stderr,
    memory,
    commandLines: [...commandLines].join('\n'),
    hook: readFileSync(leak, 'utf8'),
    files: await filesOf(scene.stateDirectory),
  };
  expect(memory).toContain('closed');
  for (const [name, text] of Object.entries(written)) {
    expect(text, name).not.toBe('');
    for (const [which, secret] of Object.entries(secrets)) {
      expect(text.includes(secret), `${which} in ${name}`).toBe(false);
    }
  }
});

/** Every row of every table, whatever its type. */
async function memoryOf(scene: PolicyScene): Promise<string> {
  await using state = await scene.open();
  const tables = await state.database.query<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
     WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
  );
  const rows = await Promise.all(tables.map(({ name }) => rowsOf(state.database, name)));
  return rows.flat().join('\n');
}

async function rowsOf(session: Session, table: string): Promise<string[]> {
  const rows = await session.query<{ text: string }>(
    `SELECT row_to_json(its_row)::text AS text FROM ${table} AS its_row`,
  );
  return rows.map(({ text }) => `${table} ${text}`);
}

/** All that lies in the state directory, the database's own files too. */
async function filesOf(directory: string): Promise<string> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const texts = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map((entry) => readFile(`${entry.parentPath}/${entry.name}`, 'latin1').catch(() => '')),
  );
  return texts.join('\n');
}
