import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { LIST_V1, LIST_V2 } from '@holdfast/engine';
import { noise } from '@holdfast/engine/testing';
import { describe, expect, test } from 'vitest';
import { sha256Id } from '../../engine/src/kernel/hash.ts';
import { type Asked, ask } from './rest-ask.ts';
import { restScene, userLine } from './rest-scene.ts';

const data = noise(300_000);
const id = sha256Id(data);

function everyFileBelow(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
    .sort();
}

describe('an upload', () => {
  test('is kept when its content is what its name says, and is never overwritten', async () => {
    await using scene = await restScene();
    const { url } = scene.server;
    expect((await ask(url, 'POST /anna/?create=true')).status).toBe(200);
    expect((await ask(url, `POST /anna/data/${id}`, { body: data })).status).toBe(200);
    const again = await ask(url, `POST /anna/data/${id}`, { body: data });
    expect([again.status, again.text]).toEqual([403, 'There is a file of that name already.\n']);
    expect(readFileSync(path.join(scene.root, 'anna/data', id.slice(0, 2), id))).toEqual(Buffer.from(data));
    expect((await ask(url, 'POST /anna/config', { body: 'first' })).status).toBe(200);
    expect((await ask(url, 'POST /anna/config', { body: 'second' })).status).toBe(403);
    expect((await ask(url, 'GET /anna/config')).text).toBe('first');
    expect((await ask(url, 'POST /anna/?create=true')).status).toBe(403);
  });

  test.each(['data', 'keys', 'locks', 'snapshots', 'index'])(
    'to %s whose content is not what its name says is refused, and nothing of it stays',
    async (folder) => {
      await using scene = await restScene();
      const { url } = scene.server;
      await ask(url, 'POST /?create=true');
      for (const body of [data.subarray(1), '']) {
        expect((await ask(url, `POST /${folder}/${id}`, { body })).status).toBe(400);
      }
      expect(everyFileBelow(scene.root)).toEqual([]);
      expect((await ask(url, `GET /${folder}/`)).text).toBe('[]');
    },
  );

  test('that breaks off leaves nothing behind', async () => {
    await using scene = await restScene();
    const { url } = scene.server;
    await ask(url, 'POST /?create=true');
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.write(`POST /data/${id} HTTP/1.1\r\nHost: x\r\nContent-Length: ${data.length}\r\n\r\n`);
    socket.write(data.subarray(0, 200_000));
    // The file is begun only when something has arrived.
    while (everyFileBelow(scene.root).length === 0) await new Promise((resolve) => setImmediate(resolve));
    socket.destroy();
    while (scene.answered.length < 2) await new Promise((resolve) => setImmediate(resolve));
    expect(everyFileBelow(scene.root)).toEqual([]);
  });

  test('is refused when the quota is reached, and finds room again when something is removed', async () => {
    await using scene = await restScene({ maxSize: 500_000 });
    const { url } = scene.server;
    await ask(url, 'POST /?create=true');
    const other = noise(300_000, 2);
    expect((await ask(url, `POST /data/${id}`, { body: data })).status).toBe(200);
    expect((await ask(url, `POST /data/${sha256Id(other)}`, { body: other })).status).toBe(507);
    expect((await ask(url, `DELETE /data/${id}`)).status).toBe(200);
    expect((await ask(url, `POST /data/${sha256Id(other)}`, { body: other })).status).toBe(200);
  });
});

test('nothing beside the served directory can be reached, however the way there is written', async () => {
  await using scene = await restScene();
  const { url } = scene.server;
  const outside = path.join(path.dirname(scene.root), `holdfast-outside-${process.pid}`);
  writeFileSync(outside, 'secret');
  try {
    const name = path.basename(outside);
    const ways = [
      `../${name}`,
      `..%2f${name}`,
      `%2e%2e/${name}`,
      `%252e%252e/${name}`,
      `..\\${name}`,
      `..%5c${name}`,
    ];
    const before = everyFileBelow(scene.root);
    for (const way of [...ways, `x/../../${name}`, 'x'.repeat(3000), `%00/${name}`]) {
      for (const line of [`GET /${way}`, `GET /data/${way}`, `GET /${way}/config`, `POST /${way}/config`]) {
        const { status, text } = await ask(url, line, line.startsWith('POST') ? { body: 'x' } : {});
        expect([404, 405], line).toContain(status);
        expect(text).not.toContain('secret');
      }
      expect([404, 405]).toContain((await ask(url, `POST /${way}/?create=true`)).status);
      expect([404, 405]).toContain((await ask(url, `DELETE /${way}`)).status);
    }
    expect(readFileSync(outside, 'utf8')).toBe('secret');
    expect(everyFileBelow(scene.root)).toEqual(before);
    expect(existsSync(path.join(path.dirname(scene.root), 'config'))).toBe(false);
  } finally {
    rmSync(outside);
  }
});

test('a file is read whole, in part, or only looked at; a list has the version that is asked for', async () => {
  await using scene = await restScene();
  const { url } = scene.server;
  await ask(url, 'POST /?create=true');
  const body = 'the quick brown fox';
  const name = sha256Id(Buffer.from(body));
  await ask(url, `POST /index/${name}`, { body });
  const range = (Range: string): Promise<Asked> => ask(url, `GET /index/${name}`, { headers: { Range } });
  expect((await ask(url, `HEAD /index/${name}`)).headers['content-length']).toBe('19');
  expect((await range('bytes=4-8')).text).toBe('quick');
  expect((await range('bytes=4-8')).headers['content-range']).toBe('bytes 4-8/19');
  expect((await range('bytes=16-400')).text).toBe('fox');
  expect((await range('bytes=19-20')).status).toBe(416);
  const list = (accept: string): Promise<Asked> => ask(url, 'GET /index/', { headers: { accept } });
  expect(JSON.parse((await list(LIST_V2)).text)).toEqual([{ name, size: 19 }]);
  expect((await list(LIST_V2)).headers['content-type']).toBe(LIST_V2);
  expect(JSON.parse((await list('*/*')).text)).toEqual([name]);
  expect((await list('*/*')).headers['content-type']).toBe(LIST_V1);
});

describe('whoever logs in', () => {
  const SHA_OF_PASSWORD = '{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=';

  test('needs the right password, and no answer tells which users there are', async () => {
    const users = `${await userLine('anna', 'ännä:1')}bert:${SHA_OF_PASSWORD}\n`;
    await using scene = await restScene({ users });
    const { url } = scene.server;
    const status = async (login?: readonly [string, string]): Promise<number> =>
      (await ask(url, 'GET /config', login && { login })).status;
    expect(await status(['anna', 'ännä:1'])).toBe(404);
    expect(await status(['bert', 'password'])).toBe(404);
    const refused = [
      undefined,
      ['anna', ''],
      ['anna', 'ännä:2'],
      ['Anna', 'ännä:1'],
      ['carl', 'x'],
      ['', ''],
      ['bert', SHA_OF_PASSWORD],
    ] as const;
    for (const login of refused) expect(await status(login)).toBe(401);
    const [first, ...others] = await Promise.all(
      refused.map(async (login) => (await ask(url, 'DELETE /nowhere', login && { login })).text),
    );
    for (const other of others) expect(other).toBe(first);
    expect(JSON.stringify(scene.answered)).not.toMatch(/ännä|W6ph5/);
  });

  test('is shut out as soon as the file says so, although the password was right before', async () => {
    await using scene = await restScene({ users: await userLine('anna', 'one') });
    const { url } = scene.server;
    const status = async (password: string): Promise<number> =>
      (await ask(url, 'GET /config', { login: ['anna', password] })).status;
    expect(await status('one')).toBe(404);
    expect(await status('one')).toBe(404);
    writeFileSync(path.join(scene.root, '.htpasswd'), `# changed\n${await userLine('anna', 'two')}`);
    expect(await status('one')).toBe(401);
    expect(await status('two')).toBe(404);
    rmSync(path.join(scene.root, '.htpasswd'));
    expect(await status('two')).toBe(500);
  });

  test('has the folder of that name alone where repositories are private', async () => {
    const users = (await userLine('anna', 'a')) + (await userLine('bert', 'b'));
    await using scene = await restScene({ users, privateRepositories: true });
    const { url } = scene.server;
    const anna = { login: ['anna', 'a'] } as const;
    expect((await ask(url, 'POST /anna/laptop/?create=true', anna)).status).toBe(200);
    expect((await ask(url, 'POST /anna/laptop/config', { ...anna, body: 'hers' })).status).toBe(200);
    for (const line of ['GET /anna/laptop/config', 'DELETE /anna/laptop/config', 'POST /anna/?create=true']) {
      expect((await ask(url, line, { login: ['bert', 'b'] })).status).toBe(403);
    }
    expect((await ask(url, 'POST /?create=true', anna)).status).toBe(403);
    expect((await ask(url, 'GET /anna/laptop/config', anna)).text).toBe('hers');
  });
});

test('an append-only server keeps what it has: only locks go', async () => {
  await using scene = await restScene({ appendOnly: true });
  const { url } = scene.server;
  await ask(url, 'POST /?create=true');
  for (const folder of ['data', 'keys', 'locks', 'snapshots', 'index']) {
    expect((await ask(url, `POST /${folder}/${id}`, { body: data })).status).toBe(200);
    expect((await ask(url, `POST /${folder}/${id}`, { body: data })).status).toBe(403);
    expect((await ask(url, `DELETE /${folder}/${id}`)).status).toBe(folder === 'locks' ? 200 : 403);
    expect((await ask(url, `HEAD /${folder}/${id}`)).status).toBe(folder === 'locks' ? 404 : 200);
  }
});

test('when it is told to stop, an upload that is on its way is finished first, and nothing new begins', async () => {
  await using scene = await restScene();
  const { url, port } = { url: scene.server.url, port: Number(new URL(scene.server.url).port) };
  await ask(url, 'POST /?create=true');
  const socket = connect(port, '127.0.0.1');
  socket.write(`POST /data/${id} HTTP/1.1\r\nHost: x\r\nContent-Length: ${data.length}\r\n\r\n`);
  socket.write(data.subarray(0, 200_000));
  while (everyFileBelow(scene.root).length === 0) await new Promise((resolve) => setImmediate(resolve));
  const stopped = scene.server.stop(1_000_000);
  await expect(ask(url, 'GET /data/')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  socket.write(data.subarray(200_000));
  const [answer] = (await once(socket, 'data')) as [Buffer];
  expect(answer.toString()).toMatch(/^HTTP\/1.1 200 /);
  await stopped;
  expect(everyFileBelow(scene.root)).toEqual([`data/${id.slice(0, 2)}/${id}`]);
});

test('a head that is too large is refused', async () => {
  await using scene = await restScene();
  const headers = { 'X-Much': 'x'.repeat(20_000) };
  expect((await ask(scene.server.url, 'GET /config', { headers })).status).toBe(431);
});
