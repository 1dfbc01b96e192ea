import { scrypt } from 'node:crypto';
import type { Clock } from '../kernel/clock.ts';
import { Failure } from '../kernel/failure.ts';
import type { MasterKey } from './types.ts';

/** scrypt's cost: N blocks of 128·r bytes are mixed, p times one after another. */
export interface KdfParameters {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

export const SALT_LENGTH = 64;

const DERIVED_LENGTH = 64;
const MiB = 1024 * 1024;

/*
 * A key file comes from outside, before anything of it is authenticated: its parameters must not be able to fill the
 * memory or keep us busy for an hour. rustic writes 128 MiB, restic up to 64 MiB; both take about half a second.
 */
const MOST_MEMORY = 1024 * MiB;
const MOST_WORK = 2 ** 27;

/** restic's limits for the parameters of a new key. */
const CALIBRATED_MEMORY = 60 * MiB;
const CALIBRATED_MILLISECONDS = 500;
/** Weaker than scrypt's interactive parameters of 2009 no key gets, however slow the machine. */
const SMALLEST_CALIBRATED_N = 2 ** 14;

/**
 * The key that a password gives: scrypt's 64 bytes are encrypt(32) ‖ macK(16) ‖ macR(16). Takes about half a second
 * on another thread. Fails with `repository.unsupported` when the parameters are beyond reason.
 */
export function deriveKey(
  password: string | Uint8Array,
  salt: Uint8Array,
  parameters: KdfParameters,
): Promise<MasterKey> {
  refuseUnreasonable(parameters);
  const { N, r, p } = parameters;
  // What OpenSSL counts: N + 2 blocks of its own and p of the input.
  const maxmem = 128 * r * (N + p + 2) + MiB;
  return new Promise((resolve, reject) => {
    scrypt(password, salt, DERIVED_LENGTH, { N, r, p, maxmem }, (error, derived) => {
      if (error === null) {
        resolve({
          encrypt: derived.subarray(0, 32),
          macK: derived.subarray(32, 48),
          macR: derived.subarray(48, 64),
        });
      } else {
        reject(error);
      }
    });
  });
}

/**
 * The hardest parameters that this machine takes at most half a second and 60 MiB for, as restic finds them:
 * N fills the memory, is halved while that takes too long, then p fills the time.
 * `derive` is what is measured.
 */
export async function calibrate(
  clock: Pick<Clock, 'now'>,
  derive: (parameters: KdfParameters) => Promise<unknown> = (parameters) =>
    deriveKey('a password to measure with', Buffer.alloc(SALT_LENGTH), parameters),
): Promise<KdfParameters> {
  const measure = async (parameters: KdfParameters): Promise<number> => {
    const start = clock.now();
    await derive(parameters);
    return Math.max(clock.now() - start, 1);
  };
  const r = 8;
  let N = largestPowerOfTwo(CALIBRATED_MEMORY / (128 * r));
  let once = await measure({ N, r, p: 1 });
  while (once > CALIBRATED_MILLISECONDS && N > SMALLEST_CALIBRATED_N) {
    N /= 2;
    once = await measure({ N, r, p: 1 });
  }
  let p = roundsFor(once);
  // The first measurement may have been a lucky one, which shows with many rounds.
  while (p > 1) {
    const all = await measure({ N, r, p });
    if (all <= CALIBRATED_MILLISECONDS) {
      break;
    }
    p = Math.min(p - 1, roundsFor(all / p));
  }
  return { N, r, p };
}

function roundsFor(millisecondsARound: number): number {
  return Math.max(Math.floor(CALIBRATED_MILLISECONDS / millisecondsARound), 1);
}

function refuseUnreasonable({ N, r, p }: KdfParameters): void {
  const reasonable =
    N >= 2 &&
    Number.isInteger(Math.log2(N)) &&
    r >= 1 &&
    p >= 1 &&
    128 * N * r <= MOST_MEMORY &&
    N * r * p <= MOST_WORK;
  if (!reasonable) {
    throw new Failure(
      'repository.unsupported',
      `The key file asks for a key derivation beyond reason (N ${N}, r ${r}, p ${p}).`,
      { hint: 'The key file may be damaged or forged: compare it with a copy.' },
    );
  }
}

function largestPowerOfTwo(limit: number): number {
  return 2 ** Math.floor(Math.log2(limit));
}
