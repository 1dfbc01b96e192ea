import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { Failure } from '../kernel/failure.ts';
import type { BlobType, RepositoryConfig } from './types.ts';

/** How much work goes into making things small. `off` concerns data alone: trees and the like always shrink. */
export type CompressionMode = 'off' | 'auto' | 'max';

/**
 * zstd levels. 3 is the library's own default. 2 saves a tenth of the time on chunks of a megabyte, where it costs 3–5 %
 * of size, and nothing on small files, where it is even larger than 1.
 */
const LEVELS: Readonly<Record<Exclude<CompressionMode, 'off'>, number>> = { auto: 3, max: 12 };

export function levelOf(mode: CompressionMode): number {
  return LEVELS[mode === 'off' ? 'auto' : mode];
}

const MiB = 1024 * 1024;
/** Index files are the largest and end at some 8 MiB of JSON with restic; V8's strings end at 512 MiB. */
const LONGEST_UNPACKED = 256 * MiB;
/** Claimed lengths come from outside: memory beyond this is taken only as real content arrives. */
const LARGEST_CHUNK = 8 * MiB;
/** A snapshot file is 300 bytes: with a large chunk for each of 100,000 of them, all time would go into their memory. */
const USUAL_GAIN = 8;
/** Node refuses smaller ones. */
const SMALLEST_CHUNK = 64;

/** The encoding byte of an unpacked file in format 2 that says: zstd follows. */
const ZSTD_ENCODING = 2;
const OPENING_BRACE = 0x7b;
const OPENING_BRACKET = 0x5b;

/**
 * A blob's content as zstd, or `undefined` when it is to be stored as it is: data with mode `off`, or content that
 * does not get smaller (nor does an empty one, whose length 0 the format could not tell from "uncompressed").
 * For repositories of format 2 only.
 */
export function compressBlob(type: BlobType, content: Uint8Array, mode: CompressionMode): Buffer | undefined {
  if (mode === 'off' && type === 'data') {
    return undefined;
  }
  if (mode === 'auto' && looksIncompressible(content, (sample) => compress(sample, mode).length)) {
    return undefined;
  }
  const compressed = compress(content, mode);
  return compressed.length < content.length ? compressed : undefined;
}

/**
 * Photos, videos and archives do not get smaller, and finding that out in full costs half of what storing them does.
 * So three samples are tried first, together one byte in sixteen at the most; small contents are just compressed.
 * `compressedLength` tells the length of a sample, or -1 when it is no smaller.
 */
export function looksIncompressible(
  content: Uint8Array,
  compressedLength: (sample: Uint8Array) => number,
): boolean {
  if (content.length < SAMPLED_FROM) {
    return false;
  }
  const step = Math.floor((content.length - SAMPLE_BYTES) / 2);
  const sample = Buffer.concat([0, step, 2 * step].map((at) => content.subarray(at, at + SAMPLE_BYTES)));
  const length = compressedLength(sample);
  return length < 0 || length >= sample.length * INCOMPRESSIBLE;
}

const SAMPLED_FROM = 256 * 1024;
const SAMPLE_BYTES = 5 * 1024;
const INCOMPRESSIBLE = 0.99;

/** The content of a compressed blob, exactly `uncompressedLength` bytes; else `repository.damaged`. */
export function decompress(bytes: Uint8Array, uncompressedLength: number): Buffer {
  const content = inflate(bytes, uncompressedLength);
  if (content.length !== uncompressedLength) {
    throw new Failure(
      'repository.damaged',
      `A compressed content has ${content.length} bytes where ${uncompressedLength} were promised.`,
    );
  }
  return content;
}

/*
 * The plaintext of a file that is not a pack (restic design, "Unpacked Data Format"):
 *
 *   format 1:  JSON
 *   format 2:  0x02 ‖ zstd(JSON), or plain JSON, which is told by its first byte `{` or `[`
 *
 * The config and key files are plain JSON in both.
 */

/** What to seal for an index, snapshot or lock file whose JSON is `json`. */
export function encodeUnpacked(
  version: RepositoryConfig['version'],
  json: Uint8Array,
  mode: CompressionMode,
): Buffer {
  if (version === 1) {
    return Buffer.from(json.buffer, json.byteOffset, json.byteLength);
  }
  return Buffer.concat([Uint8Array.of(ZSTD_ENCODING), compress(json, mode)]);
}

/** The JSON of an index, snapshot or lock file that was opened, whatever the repository's version. */
export function decodeUnpacked(plaintext: Uint8Array): Buffer {
  switch (plaintext[0]) {
    case OPENING_BRACE:
    case OPENING_BRACKET:
      return Buffer.from(plaintext.buffer, plaintext.byteOffset, plaintext.byteLength);
    case ZSTD_ENCODING:
      return inflate(plaintext.subarray(1), LONGEST_UNPACKED, plaintext.length * USUAL_GAIN);
    case undefined:
      throw new Failure('repository.damaged', 'The file is empty.');
    default:
      throw new Failure(
        'repository.unsupported',
        `The file is encoded in a way that we do not know (${plaintext[0]}).`,
        { hint: 'A newer program may have written it.' },
      );
  }
}

function compress(content: Uint8Array, mode: CompressionMode): Buffer {
  return zstdCompressSync(content, {
    params: { [constants.ZSTD_c_compressionLevel]: levelOf(mode) },
    pledgedSrcSize: content.length,
    // One chunk holds the worst case, so that the output is never pieced together.
    chunkSize: content.length + (content.length >> 7) + 128,
  });
}

/** `expected`: about how many bytes come out. */
function inflate(bytes: Uint8Array, longest: number, expected = longest): Buffer {
  try {
    return zstdDecompressSync(bytes, {
      maxOutputLength: Math.max(longest, 1),
      // A byte more than the content spares zlib a second round to learn that it was at the end.
      chunkSize: Math.min(Math.max(expected + 1, SMALLEST_CHUNK), LARGEST_CHUNK),
    });
  } catch (cause) {
    throw new Failure('repository.damaged', 'A compressed content cannot be decompressed.', { cause });
  }
}
