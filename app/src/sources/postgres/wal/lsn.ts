import { Failure } from '@holdfast/engine';

/** A position in a server's write-ahead log: bytes since the log began, over all timelines. */
export type Lsn = bigint;

const LSN = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/i;

/** Reads what PostgreSQL prints: `0/15D68C8`, upper and lower 32 bits in hexadecimal. */
export function parseLsn(text: string): Lsn {
  const [, high, low] = LSN.exec(text) ?? [];
  if (high === undefined || low === undefined) {
    throw new Failure('usage', `"${text}" is no position in a write-ahead log`, {
      hint: 'PostgreSQL writes them as 0/15D68C8: two hexadecimal numbers with a slash between.',
    });
  }
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}

export function formatLsn(lsn: Lsn): string {
  return `${(lsn >> 32n).toString(16)}/${(lsn & 0xffff_ffffn).toString(16)}`.toUpperCase();
}
