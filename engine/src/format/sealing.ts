import {
  createCipheriv,
  createDecipheriv,
  createMac,
  createSecretKey,
  type KeyObject,
  randomFillSync,
  timingSafeEqual,
} from 'node:crypto';
import { Failure } from '../kernel/failure.ts';
import { releaseMemory } from '../kernel/released-memory.ts';
import type { MasterKey } from './types.ts';

// Node 26 has it, @types/node 26.6 does not know it yet.
declare module 'node:crypto' {
  function createMac(
    algorithm: 'poly1305',
    key: Uint8Array,
  ): { update(data: Uint8Array): { final(): Buffer } };
}

/*
 * Everything in a repository is sealed alike (restic design, "Keys, Encryption and MAC"):
 *
 *   0        16                                  n-16          n
 *   ┌─────────┬───────────────────────────────────┬───────────┐
 *   │   IV    │ AES-256-CTR(encrypt, IV, content) │    MAC    │
 *   └─────────┴───────────────────────────────────┴───────────┘
 *
 *   MAC = Poly1305(r = macR, s = AES-128(macK, IV))(ciphertext)
 *
 * The IV is random for each seal. Nothing is decrypted before its MAC was found right.
 */

export const IV_LENGTH = 16;
export const MAC_LENGTH = 16;
/** How many bytes a sealed content is longer than the content. */
export const SEAL_OVERHEAD = IV_LENGTH + MAC_LENGTH;

const IVS_DRAWN_AT_ONCE = 256;

/**
 * Poly1305-AES. The AES-128 cipher that turns nonces into one-time keys lives as long as the object, since
 * making one costs more than the MAC of a small blob.
 */
export class Authenticator {
  readonly #nonceCipher;
  /** r ‖ s: s is overwritten for each nonce. */
  readonly #oneTimeKey = Buffer.alloc(32);

  constructor(key: MasterKey) {
    this.#nonceCipher = createCipheriv('aes-128-ecb', key.macK, null).setAutoPadding(false);
    this.#oneTimeKey.set(key.macR);
  }

  /** The 16-byte MAC of `ciphertext` under a 16-byte `nonce`, which must be used once only. */
  mac(nonce: Uint8Array, ciphertext: Uint8Array): Buffer {
    this.#oneTimeKey.set(this.#nonceCipher.update(nonce), 16);
    return createMac('poly1305', this.#oneTimeKey).update(ciphertext).final();
  }
}

/** Seals and opens with one master key; for many blobs, since it prepares the keys once. Not for two threads. */
export class Sealer {
  readonly #encrypt: KeyObject;
  readonly #authenticator: Authenticator;
  readonly #ivs = Buffer.alloc(IVS_DRAWN_AT_ONCE * IV_LENGTH);
  #nextIv = this.#ivs.length;

  constructor(key: MasterKey) {
    this.#encrypt = createSecretKey(key.encrypt);
    this.#authenticator = new Authenticator(key);
  }

  seal(plaintext: Uint8Array): Buffer {
    const sealed = Buffer.allocUnsafe(plaintext.length + SEAL_OVERHEAD);
    this.sealInto(plaintext, sealed, 0);
    return sealed;
  }

  /** Writes `plaintext` sealed to `target` from `offset`, and returns how many bytes that were. */
  sealInto(plaintext: Uint8Array, target: Uint8Array, offset: number): number {
    const iv = this.#drawIv();
    const ciphertext = createCipheriv('aes-256-ctr', this.#encrypt, iv).update(plaintext);
    target.set(iv, offset);
    target.set(ciphertext, offset + IV_LENGTH);
    target.set(this.#authenticator.mac(iv, ciphertext), offset + IV_LENGTH + ciphertext.length);
    releaseMemory(ciphertext);
    return plaintext.length + SEAL_OVERHEAD;
  }

  /** The content of `sealed`. Fails with `repository.damaged` when it is not what was sealed with this key. */
  open(sealed: Uint8Array): Buffer {
    const plaintext = this.tryOpen(sealed);
    if (plaintext === undefined) {
      throw new Failure(
        'repository.damaged',
        'The content does not match its authentication code: it was changed.',
        {
          hint: 'Run a check that reads all data, to see how much of the repository is affected.',
        },
      );
    }
    return plaintext;
  }

  /** As `open`, but tells a wrong key or a changed content with `undefined`. */
  tryOpen(sealed: Uint8Array): Buffer | undefined {
    if (sealed.length < SEAL_OVERHEAD) {
      return undefined;
    }
    const iv = sealed.subarray(0, IV_LENGTH);
    const ciphertext = sealed.subarray(IV_LENGTH, sealed.length - MAC_LENGTH);
    const mac = sealed.subarray(sealed.length - MAC_LENGTH);
    if (!timingSafeEqual(this.#authenticator.mac(iv, ciphertext), mac)) {
      return undefined;
    }
    return createDecipheriv('aes-256-ctr', this.#encrypt, iv).update(ciphertext);
  }

  /** Random bytes are drawn in batches: a call for each 16 bytes costs as much as sealing a small blob. */
  #drawIv(): Buffer {
    if (this.#nextIv === this.#ivs.length) {
      randomFillSync(this.#ivs);
      this.#nextIv = 0;
    }
    const iv = this.#ivs.subarray(this.#nextIv, this.#nextIv + IV_LENGTH);
    this.#nextIv += IV_LENGTH;
    return iv;
  }
}

/** Seals one content with a random IV. Whoever seals many keeps a `Sealer`. */
export function seal(key: MasterKey, plaintext: Uint8Array): Buffer {
  return new Sealer(key).seal(plaintext);
}

/** Opens one sealed content; `repository.damaged` when its MAC is wrong. */
export function open(key: MasterKey, sealed: Uint8Array): Buffer {
  return new Sealer(key).open(sealed);
}
