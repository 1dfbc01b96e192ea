import { createHash } from 'node:crypto';
import { isFailure } from '@holdfast/engine';
import { expect, test } from 'vitest';
import { parseLsn } from '../wal/lsn.ts';
import { neededWal, parseManifest, rewriteManifest } from './manifest.ts';

const body = `{ "PostgreSQL-Backup-Manifest-Version": 2,
"Files": [
{ "Path": "base/1/1259", "Size": 8192, "Last-Modified": "2026-11-21 03:00:00 GMT", "Checksum-Algorithm": "CRC32C", "Checksum": "836930e6" },
{ "Encoded-Path": "6dc3bc", "Size": 1 }
],
"WAL-Ranges": [
{ "Timeline": 3, "Start-LSN": "0/2000028", "End-LSN": "0/4000000" }
],
`;
const manifest = (text: string) =>
  Buffer.from(`${text}"Manifest-Checksum": "${createHash('sha256').update(text).digest('hex')}"}\n`);

test('a manifest tells files with their sums and which WAL is needed', () => {
  const { files, walRanges } = parseManifest(manifest(body));
  expect(files).toEqual([
    { path: 'base/1/1259', size: 8192, crc32c: 0xe6306983 },
    { path: 'mü', size: 1 },
  ]);
  expect(walRanges).toEqual([{ timeline: 3, start: parseLsn('0/2000028'), end: parseLsn('0/4000000') }]);
});

test('one that was changed or cut is no use', () => {
  const changed = Buffer.from(manifest(body).toString().replace('8192', '8193'));
  for (const bytes of [changed, manifest(body).subarray(0, 200), Buffer.from('{}')]) {
    expect(() => parseManifest(bytes)).toThrow(
      expect.toSatisfy((error) => isFailure(error, 'source.damaged')),
    );
  }
});

test('the segment that only begins where a range ends is not needed', () => {
  const { walRanges } = parseManifest(manifest(body));
  expect(neededWal(walRanges, 16 * 1024 * 1024)).toEqual([
    '000000030000000000000002',
    '000000030000000000000003',
  ]);
});

test('a rewritten one is as whole as the server’s own: files replaced, left out, and without a sum', () => {
  const changes: Record<
    string,
    Parameters<typeof rewriteManifest>[2] extends (path: string) => infer To ? To : never
  > = {
    'base/1/INCREMENTAL.1260': { path: 'base/1/1260', size: 16384, crc32c: 0x01020304 },
    'base/1/INCREMENTAL.1261': { path: 'base/1/1261', size: 8192 },
    'base/1/1259_vm': 'left out',
  };
  const entry = (path: string) =>
    `{ "Path": "${path}", "Size": 8192, "Checksum-Algorithm": "CRC32C", "Checksum": "836930e6" },\n`;
  const server = manifest(
    body.replace('{ "Encoded', `${Object.keys(changes).map(entry).join('')}{ "Encoded`),
  );
  const rewritten = rewriteManifest(server, '7575153834221432846', (path) => changes[path] ?? 'same');
  expect(parseManifest(rewritten)).toEqual({
    files: [
      { path: 'base/1/1259', size: 8192, crc32c: 0xe6306983 },
      { path: 'base/1/1260', size: 16384, crc32c: 0x01020304 },
      { path: 'base/1/1261', size: 8192 },
      { path: 'mü', size: 1 },
    ],
    walRanges: parseManifest(server).walRanges,
  });
  expect(rewritten.toString()).toContain('\n"System-Identifier": 7575153834221432846,\n');
  expect(rewritten.toString()).toContain('"Encoded-Path":"6dc3bc"');
});
