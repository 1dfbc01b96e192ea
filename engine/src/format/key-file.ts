import { randomBytes } from 'node:crypto';
import { Failure } from '../kernel/failure.ts';
import { asRecord, bytesField, countField, type JsonRecord, parseRecord, textField } from './json-shape.ts';
import { deriveKey, type KdfParameters, SALT_LENGTH } from './key-derivation.ts';
import { Sealer, seal } from './sealing.ts';
import type { MasterKey } from './types.ts';

/**
 * A key file holds the master key, sealed with a key that is derived from a password (restic design, "Keys,
 * Encryption and MAC"). All but the master key can be read by whoever sees the file.
 */
export interface KeyFile extends KeyFileMeta, KdfParameters {
  readonly salt: Buffer;
  /** The sealed JSON of the master key. */
  readonly data: Buffer;
}

/** What a key file says about itself; rustic leaves it out, then it is ''. */
export interface KeyFileMeta {
  /** RFC 3339. */
  readonly created: string;
  readonly username: string;
  readonly hostname: string;
}

const SHORTEST_SALT = 8;
const LONGEST_SALT = 1024;
/** Poly1305 ignores the other bits of r; they are cleared so that the key says what is used. */
const POLY1305_CLAMP = Buffer.from('ffffff0ffcffff0ffcffff0ffcffff0f', 'hex');

/** Keys for a new repository. */
export function randomMasterKey(): MasterKey {
  const macR = randomBytes(16).map((byte, at) => byte & (POLY1305_CLAMP[at] ?? 0));
  return { encrypt: randomBytes(32), macK: randomBytes(16), macR };
}

/** The JSON of a new key file through which `password` opens `masterKey`. */
export async function createKeyFile(
  masterKey: MasterKey,
  password: string | Uint8Array,
  parameters: KdfParameters,
  meta: KeyFileMeta,
): Promise<Buffer> {
  const salt = randomBytes(SALT_LENGTH);
  const userKey = await deriveKey(password, salt, parameters);
  const { created, username, hostname } = meta;
  return Buffer.from(
    JSON.stringify({
      created,
      username,
      hostname,
      kdf: 'scrypt',
      N: parameters.N,
      r: parameters.r,
      p: parameters.p,
      salt: salt.toString('base64'),
      data: seal(userKey, encodeMasterKey(masterKey)).toString('base64'),
    }),
  );
}

/** The master key, or `undefined` when the password is another. A file that makes no sense is a failure. */
export async function openKeyFile(
  json: Uint8Array,
  password: string | Uint8Array,
): Promise<MasterKey | undefined> {
  const file = decodeKeyFile(json);
  const userKey = await deriveKey(password, file.salt, file);
  const opened = new Sealer(userKey).tryOpen(file.data);
  return opened === undefined ? undefined : decodeMasterKey(opened);
}

/** What can be read of a key file without its password. */
export function decodeKeyFile(json: Uint8Array): KeyFile {
  const record = parseRecord(json, 'the key file');
  const kdf = textField(record, 'kdf');
  if (kdf !== 'scrypt') {
    throw new Failure(
      'repository.unsupported',
      `The key file derives its key with "${kdf.slice(0, 40)}", which we do not know; we know scrypt.`,
    );
  }
  const salt = bytesField(record, 'salt');
  if (salt.length < SHORTEST_SALT || salt.length > LONGEST_SALT) {
    throw new Failure('repository.damaged', `The key file has a salt of ${salt.length} bytes.`);
  }
  return {
    created: textField(record, 'created'),
    username: textField(record, 'username'),
    hostname: textField(record, 'hostname'),
    N: countField(record, 'N'),
    r: countField(record, 'r'),
    p: countField(record, 'p'),
    salt,
    data: bytesField(record, 'data'),
  };
}

function encodeMasterKey(key: MasterKey): Buffer {
  const mac = { k: base64(key.macK), r: base64(key.macR) };
  return Buffer.from(JSON.stringify({ mac, encrypt: base64(key.encrypt) }));
}

function decodeMasterKey(json: Uint8Array): MasterKey {
  const record = parseRecord(json, 'the master key');
  const mac = asRecord(record.mac, 'the MAC key');
  return {
    encrypt: keyField(record, 'encrypt', 32),
    macK: keyField(mac, 'k', 16),
    macR: keyField(mac, 'r', 16),
  };
}

function keyField(record: JsonRecord, field: string, length: number): Buffer {
  const key = bytesField(record, field);
  // restic takes a key of zeros for one that was never set.
  if (key.length !== length || key.every((byte) => byte === 0)) {
    throw new Failure('repository.damaged', 'The key file opened, but the master key in it is no key.');
  }
  return key;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
