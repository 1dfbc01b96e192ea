import { hash } from 'node:crypto';
import type { Id } from './id.ts';

/** SHA-256 of `bytes` as 32 raw bytes. One-shot hashing is what uses the CPU's SHA instructions best. */
export function sha256(bytes: Uint8Array): Buffer {
  return hash('sha256', bytes, 'buffer');
}

export function sha256Id(bytes: Uint8Array): Id {
  return hash('sha256', bytes, 'hex') as Id;
}
