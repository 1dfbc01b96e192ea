import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseLsn } from '../../app/src/sources/postgres/wal/lsn.ts';
import { type WalMark, WalRecordReader } from '../../app/src/sources/postgres/wal/record-reader.ts';
import { segmentNumber, segmentStart, startOfSegment } from '../../app/src/sources/postgres/wal/segment.ts';
import { type Major, startPostgres } from '../servers/postgres.ts';

const SIZE = 16 * 2 ** 20;

function marksIn(wal: Buffer, start: bigint): { marks: WalMark[]; end: bigint } {
  const reader = new WalRecordReader(start, SIZE);
  const marks = [...reader.read(wal)];
  return { marks, end: reader.last?.end ?? start };
}

describe.each<Major>([14, 17, 18])('the WAL of PostgreSQL %i', (major) => {
  test('tells its transactions and named points, and wherever it breaks off it ends with the last whole record', async () => {
    await using server = await startPostgres({ major });
    await server.query('CREATE TABLE orders (note text)');
    const [begin] = await server.query<{ lsn: string }>('SELECT pg_current_wal_insert_lsn()::text AS lsn');
    const from = parseLsn(begin?.lsn ?? '');
    const committed: number[] = [];
    for (let transaction = 0; transaction < 40; transaction++) {
      // Some records go over pages, some switch to the next segment.
      const [row] = await server.query<{ xid: string }>(
        `WITH sold AS (INSERT INTO orders SELECT repeat(md5(random()::text), ${1 + transaction * 7}) RETURNING 1)
         SELECT txid_current()::text AS xid FROM sold`,
      );
      committed.push(Number(row?.xid));
      if (transaction === 20) await server.query('SELECT pg_switch_wal()');
    }
    await server.query("SELECT pg_create_restore_point('after forty')");
    const [done] = await server.query<{ lsn: string; name: string; at: number }>(
      'SELECT pg_current_wal_insert_lsn()::text AS lsn, extract(epoch FROM clock_timestamp())::float8 AS at',
    );
    const end = parseLsn(done?.lsn ?? '');
    // A named point alone is not made durable; a checkpoint would remove what is read here.
    await server.query('CREATE TABLE later ()');
    await server.stop('immediate');

    const start = segmentStart(from, SIZE);
    const segments = [];
    for (let number = segmentNumber(start, SIZE); startOfSegment(number, SIZE) < end; number++) {
      const name = `00000001${'0'.repeat(8)}${number.toString(16).toUpperCase().padStart(8, '0')}`;
      segments.push(readFileSync(path.join(server.dataDirectory, 'pg_wal', name)));
    }
    const wal = Buffer.concat(segments);
    const { marks } = marksIn(wal, start);
    const ours = marks.filter(({ lsn }) => lsn >= from && lsn < end);
    expect(ours.filter(({ kind, xid }) => kind === 'commit' && xid > 0).map(({ xid }) => xid)).toEqual(
      committed,
    );
    const named = ours.findLast(({ kind }) => kind === 'named');
    expect(named).toMatchObject({ kind: 'named', name: 'after forty' });
    expect(end - (named?.end ?? 0n)).toBeLessThan(8n);
    expect(Math.abs(Number(named?.time) / 1e6 - (done?.at ?? 0))).toBeLessThan(60);

    fc.assert(
      fc.property(fc.integer({ min: Number(from - start), max: Number(end - start) }), (at) => {
        const cut = Buffer.from(wal).fill(0, at);
        // Zeros that were there already are not missed.
        const missing = wal.subarray(at).findIndex((byte) => byte !== 0);
        const broken = start + BigInt(at + missing);
        const whole = marks.filter((mark) => mark.end <= broken);
        const read = marksIn(cut, start);
        expect(read.end).toBeLessThanOrEqual(broken);
        expect(read.marks).toEqual(whole);
      }),
      { numRuns: 25 },
    );
  });
});
