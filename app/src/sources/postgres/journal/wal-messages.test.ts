import { expect, test } from 'vitest';
import { WalReach } from '../wal/reach.ts';
import { decodeWalMessage, encodeStandbyStatus } from './wal-messages.ts';

const NOW = Date.UTC(2026, 10, 21, 10, 52);
const SINCE_2000 = BigInt(NOW - Date.UTC(2000, 0, 1)) * 1000n;

test('WAL from a server is read as the manual lays it out', () => {
  const payload = Buffer.alloc(25 + 3, 'abc');
  payload.write('w');
  payload.writeBigUInt64BE(0x16_b374d848n, 1);
  payload.writeBigUInt64BE(0x16_b374e000n, 9);
  payload.writeBigInt64BE(SINCE_2000, 17);
  const message = decodeWalMessage(payload);
  expect(message).toMatchObject({
    kind: 'wal',
    start: 0x16_b374d848n,
    serverEnd: 0x16_b374e000n,
    sentAt: NOW,
  });
  expect(message.kind === 'wal' && message.data.length).toBe(3);
});

test('a keepalive says whether it wants an answer', () => {
  const payload = Buffer.alloc(18);
  payload.write('k');
  payload.writeBigUInt64BE(7n, 1);
  payload.writeBigInt64BE(SINCE_2000, 9);
  expect(decodeWalMessage(payload)).toEqual({
    kind: 'keepalive',
    serverEnd: 7n,
    sentAt: NOW,
    replyNow: false,
  });
  payload[17] = 1;
  expect(decodeWalMessage(payload)).toMatchObject({ replyNow: true });
});

test('anything else is refused', () => {
  for (const bad of [Buffer.from('x'), Buffer.alloc(0), Buffer.from('w short')])
    expect(() => decodeWalMessage(bad)).toThrow(/unknown kind/);
});

test('a status says written and flushed, and never applied', () => {
  const status = encodeStandbyStatus({ flushed: 0x16_b374d848n, now: NOW, replyNow: true });
  expect([status.length, String.fromCharCode(status[0] ?? 0), status[33]]).toEqual([34, 'r', 1]);
  expect([1, 9, 17].map((at) => status.readBigUInt64BE(at))).toEqual([0x16_b374d848n, 0x16_b374d848n, 0n]);
  expect(status.readBigInt64BE(25)).toBe(SINCE_2000);
});

test('a partial segment reaches to its last page, whatever lies behind', () => {
  const start = 0x300_0000n;
  const page = (address: bigint) => {
    const bytes = Buffer.alloc(8192);
    bytes.writeUInt16LE(0xd113, 0);
    bytes.writeBigUInt64LE(address, 8);
    return bytes;
  };
  const pages = [page(start), page(start + 8192n), Buffer.alloc(8192), page(start + 3n * 8192n)];
  const reach = new WalReach(start);
  reach.pass(Buffer.concat(pages.slice(0, 1)));
  expect(reach.reached).toBe(start);
  reach.pass(Buffer.concat(pages.slice(1)));
  expect(reach.reached).toBe(start + 8192n);
});
