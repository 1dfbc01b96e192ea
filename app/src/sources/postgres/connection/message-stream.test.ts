import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { MessageStream } from './message-stream.ts';
import { SlabSocket } from './slab-socket.ts';

/** Of all lengths: some need several reads, and many lie in one. */
function bodyOf(number: number): Buffer {
  return Buffer.alloc(((number * 7919) % 97) ** 2 * (number % 5 === 0 ? 20 : 1), (number % 250) + 1);
}

function message(number: number): Buffer {
  const body = bodyOf(number);
  const head = Buffer.from([0x64, 0, 0, 0, 0]);
  head.writeUInt32BE(4 + body.length, 1);
  return Buffer.concat([head, body]);
}

async function connected(): Promise<{ socket: SlabSocket; peer: Socket }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  const socket = new SlabSocket();
  socket.connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [peer] = (await accepted) as [Socket];
  server.close();
  onTestFinished(() => {
    socket.destroy();
    peer.destroy();
  });
  return { socket, peer };
}

test.each([
  ['kept', false],
  ['lent', true],
])(
  'messages that are %s arrive as they were sent, whatever comes while one is looked at',
  async (_, lent) => {
    const { socket, peer } = await connected();
    const stream = new MessageStream(socket);
    const kept: { number: number; body: Buffer }[] = [];
    let number = 0;
    const take = async () => {
      const taken = await stream.next(lent);
      expect(taken?.body.equals(bodyOf(number)), `message ${number}`).toBe(true);
      if (taken !== undefined) kept.push({ number, body: taken.body });
      number += 1;
    };
    for (let round = 0; round < 20; round++) {
      // One that is all there is, and while it is looked at more than a slab holds.
      peer.write(message(number));
      await take();
      const burst = Array.from({ length: 120 }, (_, at) => message(number + at));
      const before = socket.bytesRead;
      peer.write(Buffer.concat(burst));
      while (socket.bytesRead - before < 1.1 * 1024 * 1024) await nextTurn();
      for (const _ of burst) await take();
    }
    // What was lent may be gone, but is never something else.
    for (const { number, body } of kept) {
      expect(body.equals(bodyOf(number)) || (lent && body.length === 0)).toBe(true);
    }
  },
);

test('the end of the connection is no message', async () => {
  const { socket, peer } = await connected();
  const stream = new MessageStream(socket);
  peer.end(message(5));
  expect((await stream.next())?.body).toEqual(bodyOf(5));
  expect(await stream.next()).toBeUndefined();
});
