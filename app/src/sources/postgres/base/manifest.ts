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
      'Last-Modified': z.string().optional(),
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
  const manifest = understood(bytes);
  return {
    files: manifest.Files.map((file) => ({
      path: file.Path ?? Buffer.from(file['Encoded-Path'] ?? '', 'hex').toString(),
      size: file.Size,
      ...(file['Checksum-Algorithm'] === 'CRC32C' && file.Checksum !== undefined
        ? // The bytes of the sum in the server's memory: little-endian on every platform that PostgreSQL is run on here.
          { crc32c: Buffer.from(file.Checksum, 'hex').readUInt32LE(0) }
        : {}),
    })),
    walRanges: manifest['WAL-Ranges'].map((range) => ({
      timeline: range.Timeline,
      start: parseLsn(range['Start-LSN']),
      end: parseLsn(range['End-LSN']),
    })),
  };
}

/**
 * A server's manifest with some of its files replaced or left out, by the path that the server has them under. A server
 * takes it for the next base, and pg_verifybackup compares a data directory with it. The sum of a file that has none is
 * left out, as the format allows.
 */
export function rewriteManifest(
  bytes: Buffer,
  systemId: string,
  instead: (path: string) => ManifestFile | 'same' | 'left out',
): Buffer {
  const manifest = understood(bytes);
  const lines = manifest.Files.flatMap((file) => {
    const change = file.Path === undefined ? 'same' : instead(file.Path);
    if (change === 'left out') return [];
    return [JSON.stringify(change === 'same' ? file : { ...file, ...shaped(change) })];
  });
  const ranges = manifest['WAL-Ranges'].map((range) => JSON.stringify(range));
  // A line each as the server has it: the sum is of all lines before its own.
  const body = [
    '{ "PostgreSQL-Backup-Manifest-Version": 2,',
    // Larger than what a number is exact to here, so never parsed.
    `"System-Identifier": ${systemId},`,
    `"Files": [\n${lines.join(',\n')}\n],`,
    `"WAL-Ranges": [\n${ranges.join(',\n')}\n],`,
    '',
  ].join('\n');
  return Buffer.from(`${body}"Manifest-Checksum": "${createHash('sha256').update(body).digest('hex')}"}\n`);
}

function shaped({ path, size, crc32c }: ManifestFile) {
  const sum = Buffer.alloc(4);
  sum.writeUInt32LE(crc32c ?? 0);
  return {
    'Path': path,
    'Size': size,
    'Checksum-Algorithm': crc32c === undefined ? undefined : 'CRC32C',
    'Checksum': crc32c === undefined ? undefined : sum.toString('hex'),
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

function understood(bytes: Buffer): z.infer<typeof manifestShape> {
  const manifest = manifestShape.safeParse(parsedJson(bytes));
  if (!manifest.success) throw damaged('it cannot be understood', manifest.error);
  const summed = bytes.subarray(0, bytes.lastIndexOf('"Manifest-Checksum"'));
  if (createHash('sha256').update(summed).digest('hex') === manifest.data['Manifest-Checksum']) {
    return manifest.data;
  }
  throw damaged('its own checksum is wrong');
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
