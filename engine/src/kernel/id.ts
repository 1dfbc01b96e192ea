/**
 * A storage id: the SHA-256 of a content, as 64 lower-case hexadecimal digits.
 * Files in a repository are named by it, blobs are found by it (restic design, "Repository Format").
 */
export type Id = string & { readonly __id: unique symbol };

const HEX_ID = /^[0-9a-f]{64}$/;

export function isId(text: string): text is Id {
  return HEX_ID.test(text);
}

/** The id in `bytes` (32 bytes from `offset`). */
export function idFromBytes(bytes: Uint8Array, offset = 0): Id {
  return Buffer.from(bytes.buffer, bytes.byteOffset + offset, 32).toString('hex') as Id;
}

export function bytesFromId(id: Id): Buffer {
  return Buffer.from(id, 'hex');
}

/** The first eight digits: what people read and type. */
export function shortId(id: Id): string {
  return id.slice(0, 8);
}
