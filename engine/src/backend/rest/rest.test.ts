import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { sha256Id } from '../../kernel/hash.ts';
import { noise } from '../../testing/backend-suite.ts';
import type { Backend } from '../backend.ts';
import { parseRestAddress } from './address.ts';
import { openRest } from './rest.ts';

const data = noise(1000);
const pack = { type: 'pack', name: sha256Id(data) } as const;
const open: (Backend | Server)[] = [];

afterEach(async () => {
  for (const one of open.splice(0)) {
    if ('load' in one) await one.close();
    else one.close().closeAllConnections();
  }
});

/** Our client, and a server that answers as a test wants it. */
async function against(answer: RequestListener, silence = 20_000): Promise<Backend> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const place = parseRestAddress(`http://anna:geheim@127.0.0.1:${port}/folder/`);
  const backend = openRest({ place, connections: 2, silence, ...(place.login && { login: place.login }) });
  open.push(server, backend);
  return backend;
}

test.each([
  [301, 'backend.denied'],
  [400, 'backend.io'],
  [401, 'backend.denied'],
  [403, 'backend.denied'],
  [404, 'backend.not-found'],
  [405, 'backend.denied'],
  [413, 'backend.full'],
  [416, 'backend.denied'],
  [429, 'backend.unreachable'],
  [500, 'backend.unreachable'],
  [503, 'backend.unreachable'],
  [507, 'backend.full'],
])('a server that answers %i to whatever it is asked means %s', async (status, code) => {
  const backend = await against((request, response) => {
    request.resume();
    response.writeHead(status).end('it says a lot');
  });
  const failures = await Promise.all(
    [backend.load(pack), backend.stat(pack), backend.remove(pack)].map((call) =>
      call.catch((error) => error),
    ),
  );
  for (const failure of failures) {
    expect(failure).toMatchObject({ code });
    expect(JSON.stringify([failure, String(failure)])).not.toMatch(/geheim/);
  }
});

test('a body that is cut off is never taken for the whole file', async () => {
  const backend = await against((_, response) => {
    response.writeHead(200, { 'Content-Length': 1000 });
    response.write(data.subarray(0, 400), () => response.destroy());
  });
  await expect(backend.load(pack)).rejects.toMatchObject({ code: 'backend.unreachable' });
});

test('a server that does not know ranges is understood, one that sends another range is not believed', async () => {
  const whole = await against((_, response) => response.writeHead(200, { 'Content-Length': 1000 }).end(data));
  expect(await whole.load(pack, { offset: 10, length: 20 })).toEqual(data.subarray(10, 30));
  const wrong = await against((_, response) => {
    response
      .writeHead(206, { 'Content-Length': 20, 'Content-Range': 'bytes 0-19/1000' })
      .end(data.subarray(0, 20));
  });
  await expect(wrong.load(pack, { offset: 10, length: 20 })).rejects.toMatchObject({ code: 'backend.io' });
});

test('a list of version 1 is completed with the sizes, without strangers', async () => {
  const backend = await against((request, response) => {
    if (request.method === 'HEAD') response.writeHead(200, { 'Content-Length': 1000 }).end();
    else response.end(JSON.stringify([pack.name, `${pack.name}.rest-server-temp123`]));
  });
  const files = await Array.fromAsync(backend.list('pack'));
  expect(files).toEqual([{ name: pack.name, size: 1000 }]);
});

test.each([
  '',
  'null and more',
  '{"name": 1}',
  '[{"name": "x"}]',
  `[{"name":"${pack.name}","size":1}`,
  '<html>',
])('a list that is none is refused: %j', async (text) => {
  const backend = await against((_, response) => response.end(text));
  await expect(Array.fromAsync(backend.list('pack'))).rejects.toMatchObject({ code: 'backend.io' });
});

test('an upload to a name that is taken is known for it, although the server did not wait for its end', async () => {
  const large = noise(16_000_000);
  const backend = await against((request, response) => {
    if (request.method === 'HEAD') response.writeHead(200, { 'Content-Length': 1 }).end();
    else request.socket.destroy();
  });
  await expect(backend.save({ type: 'pack', name: sha256Id(large) }, large)).rejects.toMatchObject({
    code: 'backend.exists',
  });
});

test('an answer of 403 to an upload is a refusal when the name is free', async () => {
  const backend = await against((request, response) => {
    request.resume().on('end', () => response.writeHead(request.method === 'HEAD' ? 404 : 403).end());
  });
  await expect(backend.save(pack, data)).rejects.toMatchObject({ code: 'backend.denied' });
});

test('nobody listens: that is said without the login, and may pass', async () => {
  const place = parseRestAddress('http://anna:geheim@127.0.0.1:9/');
  const backend = openRest({
    place,
    connections: 1,
    silence: 1000,
    login: { username: 'anna', password: 'geheim' },
  });
  open.push(backend);
  const failure = await backend.stat(pack).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'backend.unreachable', retry: true });
  expect(String(failure)).not.toMatch(/anna|geheim/);
});

test.each<[string, RequestListener]>([
  ['before it answers', () => {}],
  [
    'in the middle of a file',
    (_, response) => response.writeHead(200, { 'Content-Length': 1000 }).write(data.subarray(0, 400)),
  ],
])('a server that falls silent %s is not waited for', async (_, answer) => {
  const backend = await against(answer, 100);
  await expect(backend.load(pack)).rejects.toMatchObject({ code: 'backend.unreachable' });
});
