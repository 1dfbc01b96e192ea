import fc from 'fast-check';
import { expect, test } from 'vitest';
import { labelOfWhole } from './backup-label.ts';
import { ByteSource } from './byte-source.ts';
import { PAGE, planMerge, readSentPages, relationOf } from './incremental-file.ts';

const CHUNK = 4 * PAGE;

function file(numbers: readonly number[], least: number): Buffer {
  const head = Buffer.alloc(12 + 4 * numbers.length);
  head.writeUInt32LE(0xd3ae1f0d, 0);
  head.writeUInt32LE(numbers.length, 4);
  head.writeUInt32LE(least, 8);
  for (const [at, number] of numbers.entries()) head.writeUInt32LE(number, 12 + 4 * at);
  if (numbers.length === 0) return head;
  const padded = Math.ceil(head.length / PAGE) * PAGE;
  return Buffer.concat([head, Buffer.alloc(padded - head.length + numbers.length * PAGE)]);
}

async function read(bytes: Buffer, size = bytes.length) {
  const stream = async function* () {
    yield bytes;
  };
  return await readSentPages(new ByteSource(stream()), 'base/5/INCREMENTAL.1', size);
}

test('the head of a file of changed pages tells which they are', async () => {
  expect(await read(file([], 7))).toEqual({ numbers: new Uint32Array(), least: 7 });
  const many = Array.from({ length: 3000 }, (_, n) => 2 * n);
  expect(await read(file(many, 6000))).toEqual({ numbers: Uint32Array.from(many), least: 6000 });
  // More than a file holds, as older minor releases may say.
  expect((await read(file([1], 200_000))).least).toBe(131_072);
});

test('one with another mark, with pages twice or out of order, or of another length is refused', async () => {
  const marked = file([1, 2], 3);
  marked[0] = 1;
  for (const bytes of [marked, file([2, 1], 3), file([1, 1], 3), file([131_072], 3), Buffer.alloc(5)]) {
    await expect(read(bytes)).rejects.toMatchObject({ code: 'source.unreadable' });
  }
  const right = file([1, 2], 3);
  await expect(read(right, right.length + PAGE)).rejects.toMatchObject({ code: 'source.unreadable' });
});

test('only files of pages come as changes', () => {
  expect(relationOf('base/5/INCREMENTAL.16384.2')).toBe('base/5/16384.2');
  expect(relationOf('pg_tblspc/16400/PG_18_202506291/5/INCREMENTAL.16384')).toBe(
    'pg_tblspc/16400/PG_18_202506291/5/16384',
  );
  expect(relationOf('base/5/16384')).toBeUndefined();
  expect(relationOf('INCREMENTAL.notes')).toBeUndefined();
});

test('a file is put together chunk by chunk as it would be page by page', () => {
  const pages = fc.uniqueArray(fc.nat(30), { maxLength: 20 });
  fc.assert(
    fc.property(pages, fc.nat(30), fc.nat(30 * PAGE), fc.nat(40), (sent, least, size, stayed) => {
      const numbers = Uint32Array.from(sent).sort();
      const earlier = Buffer.alloc(size, 1);
      const length = Math.max(least, ...sent.map((number) => number + 1));
      const expected = Array.from({ length }, (_, page) => {
        if (sent.includes(page)) return 2;
        return page < Math.min(Math.floor(size / PAGE), least, stayed) ? 1 : 0;
      });
      const plan = planMerge({ numbers, least }, { size, stayed }, CHUNK);
      const made = plan.chunks.flatMap((chunk, at) => {
        const start = at * CHUNK;
        if (chunk.kind === 'kept') return pagesOf(earlier.subarray(start, start + CHUNK));
        const bytes = Buffer.alloc(chunk.length);
        bytes.set(earlier.subarray(start, start + chunk.fromEarlier));
        for (const number of numbers.subarray(chunk.firstSent, chunk.endSent)) {
          bytes.fill(2, number * PAGE - start, (number + 1) * PAGE - start);
        }
        return pagesOf(bytes);
      });
      expect(made).toEqual(expected);
      expect(plan.size).toBe(length * PAGE);
      expect(plan.dropped).toBe(Math.max(0, Math.ceil(size / CHUNK) - plan.chunks.length));
    }),
  );
});

test('chunks in which nothing changed are not read', () => {
  const plan = planMerge(
    { numbers: Uint32Array.of(5), least: 12 },
    { size: 12 * PAGE, stayed: Number.POSITIVE_INFINITY },
    CHUNK,
  );
  expect(plan.chunks.map(({ kind }) => kind)).toEqual(['kept', 'made', 'kept']);
});

test('a label no longer says that there is only a part', () => {
  const label = 'START WAL LOCATION: 0/2000028 (file 01)\nSTART TIMELINE: 1\n';
  expect(labelOfWhole(`${label}INCREMENTAL FROM LSN: 0/1000028\nINCREMENTAL FROM TLI: 1\n`)).toBe(label);
});

/** Each page by the byte that it is full of; undefined when it is not one. */
function pagesOf(bytes: Buffer): (number | undefined)[] {
  return Array.from({ length: bytes.length / PAGE }, (_, page) => {
    const value = bytes[page * PAGE];
    return bytes.subarray(page * PAGE, (page + 1) * PAGE).every((byte) => byte === value) ? value : undefined;
  });
}
