import { Failure } from '@holdfast/engine';

/*
 * An LSN is a byte position in a server's whole WAL: 64 bits, here a bigint, in texts two hexadecimal halves.
 */

const LSN = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/;

/** Reads `16/B374D848`. Throws `source.unreadable` for anything else. */
export function parseLsn(text: string): bigint {
  const parts = LSN.exec(text);
  if (parts === null) throw new Failure('source.unreadable', `"${text}" is no position in a WAL`);
  return (BigInt(`0x${parts[1]}`) << 32n) | BigInt(`0x${parts[2]}`);
}

export function formatLsn(lsn: bigint): string {
  return `${(lsn >> 32n).toString(16).toUpperCase()}/${(lsn & 0xffff_ffffn).toString(16).toUpperCase()}`;
}
