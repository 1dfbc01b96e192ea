import { createHash } from 'node:crypto';
import { Failure } from '@holdfast/engine';
import { z } from 'zod';
import { segmentNumbers } from '../wal/coverage.ts';
import { type Lsn, parseLsn } from '../wal/lsn.ts';
import { segmentName } from '../wal/segment.ts';

/** backup_manifest as the manual describes it ("Backup Manifest Format"), as far as it is used here. */
const manifestShape = z.object({
  'Files': z.array(
    z.object({
      'Path': z.string().optional(),
      /** Hexadecimal, of a name that is not UTF-8. */
      'Encoded-Path': z.string().optional(),
      'Size': z.number(),
      'Checksum-Algorithm': z.string().optional(),
      'Checksum': z.string().optional(),
    }),
  ),
  'WAL-Ranges': z.array(z.object({ 'Timeline': z.int(), 'Start-LSN': z.string(), 'End-LSN': z.string() })),
  'Manifest-Checksum': z.string(),
});

export interface BaseManifest {
  readonly files: readonly ManifestFile[];
  readonly walRanges: readonly WalRange[];
}

export interface ManifestFile {
  /** Below the data directory. */
  readonly path: string;
  readonly size: number;
  /** Absent when it was summed by something else. */
  readonly crc32c?: number;
}

/** WAL that must be there to reach consistency; `end` is the first byte that is not needed. */
export interface WalRange {
  readonly timeline: number;
  readonly start: Lsn;
  readonly end: Lsn;
}

/** Reads a manifest, after comparing it with the sum that it ends with. */
export function parseManifest(bytes: Buffer): BaseManifest {
  const manifest = manifestShape.safeParse(parsedJson(bytes));
  if (!manifest.success) throw damaged('it cannot be understood', manifest.error);
  const summed = bytes.subarray(0, bytes.lastIndexOf('"Manifest-Checksum"'));
  if (createHash('sha256').update(summed).digest('hex') !== manifest.data['Manifest-Checksum']) {
    throw damaged('its own checksum is wrong');
  }
  return {
    files: manifest.data.Files.map((file) => ({
      path: file.Path ?? Buffer.from(file['Encoded-Path'] ?? '', 'hex').toString(),
      size: file.Size,
      ...(file['Checksum-Algorithm'] === 'CRC32C' && file.Checksum !== undefined
        ? // The bytes of the sum in the server's memory: little-endian on every platform that PostgreSQL is run on here.
          { crc32c: Buffer.from(file.Checksum, 'hex').readUInt32LE(0) }
        : {}),
    })),
    walRanges: manifest.data['WAL-Ranges'].map((range) => ({
      timeline: range.Timeline,
      start: parseLsn(range['Start-LSN']),
      end: parseLsn(range['End-LSN']),
    })),
  };
}

/** The names of all WAL files that a base needs, so that it can be restored. */
export function neededWal(ranges: readonly WalRange[], segmentBytes: number): string[] {
  return ranges.flatMap(({ timeline, start, end }) =>
    Array.from(segmentNumbers(start, end, segmentBytes), (number) =>
      segmentName({ timeline, number }, segmentBytes),
    ),
  );
}

function parsedJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}

function damaged(what: string, cause?: unknown): Failure {
  return new Failure('source.damaged', `the server's list of files (backup_manifest) is no use: ${what}`, {
    hint: 'Was the connection broken and mended on its way? Take the base again.',
    cause,
  });
}
