import { meter } from '@holdfast/engine';
import { expect, test } from 'vitest';
import { trafficOf } from './traffic.ts';

test('a command’s traffic is the sum over all kinds of files, and what failed was asked for too', async () => {
  const files: Uint8Array<ArrayBuffer>[] = [];
  const metered = meter({
    location: 'here',
    connections: 1,
    save: async (_, data) => void files.push(new Uint8Array(data)),
    load: async () => files.pop() ?? Promise.reject(new Error('nothing left')),
    stat: async () => ({ size: 1 }),
    async *list() {},
    remove: async () => undefined,
    close: async () => undefined,
  });
  await metered.save({ type: 'pack', name: 'a' }, new Uint8Array(5));
  await metered.save({ type: 'index', name: 'b' }, new Uint8Array(7));
  await metered.load({ type: 'index', name: 'b' });
  await metered.load({ type: 'pack', name: 'a' });
  await metered.load({ type: 'pack', name: 'a' }).catch(() => undefined);
  await Array.fromAsync(metered.list('lock'));
  expect(trafficOf(metered.reading())).toEqual({
    requests: { save: 2, load: 3, stat: 0, list: 1, remove: 0 },
    bytesSent: 12,
    bytesReceived: 12,
  });
});
