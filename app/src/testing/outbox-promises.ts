import { expect, test } from 'vitest';
import type { Message } from '../alert/message.ts';
import type { Outbox } from '../alert/outbox.ts';

/** What every outbox keeps; called with a way to open an empty one. */
export function outboxPromises(open: () => Promise<Outbox>): void {
  test('a message is due at once, once it was added, until it is delivered', async () => {
    const outbox = await open();
    await outbox.add([messageTo('ops', 1)], 1000);
    const [delivery] = await outbox.due(1000);
    expect(delivery).toMatchObject({ message: messageTo('ops', 1), attempts: 0, addedAt: 1000 });
    await outbox.delivered(delivery?.id ?? '', 1500);
    expect(await outbox.due(9000)).toEqual([]);
    expect(await outbox.health()).toEqual([
      { channel: 'ops', waiting: 0, givenUp: 0, lastDeliveredAt: 1500 },
    ]);
  });

  test('a message that failed waits for its time, and the later ones of its channel with it', async () => {
    const outbox = await open();
    await outbox.add([messageTo('ops', 1)], 1000);
    await outbox.add([messageTo('ops', 2), messageTo('duty', 3)], 1001);
    const [first] = await outbox.due(1001);
    await outbox.failed(first?.id ?? '', { message: 'nobody there' }, 1002, 6000);
    expect((await outbox.due(5999)).map(({ message }) => message.at)).toEqual([3]);
    const due = (await outbox.due(6000)).filter(({ message }) => message.channel === 'ops');
    expect(due.map(({ message, attempts }) => [message.at, attempts])).toEqual([
      [1, 1],
      [2, 0],
    ]);
    expect((await outbox.health()).find(({ channel }) => channel === 'ops')).toEqual({
      channel: 'ops',
      waiting: 2,
      givenUp: 0,
      failingSince: 1002,
      lastError: 'nobody there',
    });
  });

  test('a new message brings forward what waits for its channel, in the old order', async () => {
    const outbox = await open();
    await outbox.add([messageTo('ops', 1)], 1000);
    const [first] = await outbox.due(1000);
    await outbox.failed(first?.id ?? '', { message: 'nobody there' }, 1000, 60_000);
    await outbox.add([messageTo('ops', 2)], 2000);
    expect((await outbox.due(2000)).map(({ message }) => message.at)).toEqual([1, 2]);
  });

  test('a message that was given up is counted, and gone', async () => {
    const outbox = await open();
    await outbox.add([messageTo('ops', 1)], 1000);
    const [first] = await outbox.due(1000);
    await outbox.failed(first?.id ?? '', { message: 'nobody there' }, 2000);
    expect(await outbox.due(9000)).toEqual([]);
    expect(await outbox.health()).toMatchObject([{ waiting: 0, givenUp: 1, failingSince: 2000 }]);
  });

  test('a channel that delivers again fails no longer', async () => {
    const outbox = await open();
    await outbox.add([messageTo('ops', 1)], 1000);
    const [first] = await outbox.due(1000);
    await outbox.failed(first?.id ?? '', { message: 'nobody there' }, 1000, 2000);
    await outbox.delivered(first?.id ?? '', 2000);
    expect(await outbox.health()).toEqual([
      { channel: 'ops', waiting: 0, givenUp: 0, lastDeliveredAt: 2000 },
    ]);
  });
}

function messageTo(channel: string, at: number): Message {
  return { channel, at, news: [] };
}
