import { Failure } from '@holdfast/engine';
import type { Lsn } from '../wal/lsn.ts';

/*
 * What a walsender and we tell each other inside of CopyData (the manual's "Streaming Replication Protocol"). All
 * numbers are big endian; times are microseconds since 2000-01-01.
 *
 *     w  start LSN 8 | server's end 8 | sent at 8 | WAL          from the server
 *     k  server's end 8 | sent at 8 | reply at once 1            from the server
 *     r  written 8 | flushed 8 | applied 8 | now 8 | reply 1     from us
 */

export type WalMessage =
  | {
      readonly kind: 'wal';
      readonly start: Lsn;
      readonly serverEnd: Lsn;
      /** By the server's clock, milliseconds since 1970. */
      readonly sentAt: number;
      readonly data: Buffer;
    }
  | {
      readonly kind: 'keepalive';
      readonly serverEnd: Lsn;
      readonly sentAt: number;
      readonly replyNow: boolean;
    };

export function decodeWalMessage(payload: Buffer): WalMessage {
  const kind = payload[0];
  if (kind === W && payload.length >= WAL_HEADER) {
    return {
      kind: 'wal',
      start: payload.readBigUInt64BE(1),
      serverEnd: payload.readBigUInt64BE(9),
      sentAt: fromServerTime(payload.readBigInt64BE(17)),
      data: payload.subarray(WAL_HEADER),
    };
  }
  if (kind === K && payload.length >= 18) {
    return {
      kind: 'keepalive',
      serverEnd: payload.readBigUInt64BE(1),
      sentAt: fromServerTime(payload.readBigInt64BE(9)),
      replyNow: payload[17] === 1,
    };
  }
  throw new Failure('source.unreadable', `the server sent a message of the unknown kind ${kind} in its WAL`);
}

export interface StandbyStatus {
  /** Everything before it is durable with us. 0 keeps what was said before. */
  readonly flushed: Lsn;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Asks the server to answer at once: a way to learn that it is still there. */
  readonly replyNow: boolean;
}

/**
 * We say "written" only of what is durable as well, so that `remote_write` promises as much as `on`. Applied is never
 * anything: a server with `synchronous_commit = remote_apply` must not wait for us.
 */
export function encodeStandbyStatus({ flushed, now, replyNow }: StandbyStatus): Buffer {
  const message = Buffer.alloc(34);
  message[0] = R;
  message.writeBigUInt64BE(flushed, 1);
  message.writeBigUInt64BE(flushed, 9);
  message.writeBigUInt64BE(0n, 17);
  message.writeBigInt64BE(BigInt(Math.round((now - EPOCH_2000) * 1000)), 25);
  message[33] = replyNow ? 1 : 0;
  return message;
}

function fromServerTime(microseconds: bigint): number {
  return Number(microseconds) / 1000 + EPOCH_2000;
}

const [W, K, R] = [0x77, 0x6b, 0x72];
const WAL_HEADER = 25;
const EPOCH_2000 = Date.UTC(2000, 0, 1);
