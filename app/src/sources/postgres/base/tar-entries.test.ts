import { isFailure } from '@holdfast/engine';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { tarEntries } from './tar-entries.ts';

interface Member {
  readonly name: string;
  readonly content?: Buffer;
  readonly type?: string;
  readonly size?: number;
}

function header({ name, content = Buffer.alloc(0), type = '0', size = content.length }: Member): Buffer {
  const block = Buffer.alloc(512);
  block.write(name, 0);
  block.write('0000600\0', 100);
  block.write('0001750\0', 108);
  block.write('0001751\0', 116);
  if (size < 8 ** 11) block.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  else {
    block.writeUInt8(0x80, 124);
    block.writeBigUInt64BE(BigInt(size), 128);
  }
  block.write('14714420000\0', 136);
  block.write('        ', 148);
  block.write(type, 156);
  block.write('postgres', 265);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

function archive(members: readonly Member[], trailer = true): Buffer {
  const blocks = members.flatMap((member) => {
    const { content = Buffer.alloc(0) } = member;
    return [header(member), content, Buffer.alloc((512 - (content.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, trailer ? Buffer.alloc(1024) : Buffer.alloc(0)]);
}

async function* inPieces(bytes: Buffer, length: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

async function read(bytes: Buffer, pieceLength = 1000) {
  const found: { path: string; type: string; mode: number; content: Buffer }[] = [];
  for await (const { path, type, mode, content } of tarEntries(inPieces(bytes, pieceLength))) {
    found.push({ path, type, mode, content: Buffer.concat(await Array.fromAsync(content)) });
  }
  return found;
}

test('whatever the files and however the stream is cut, each comes out as it went in', async () => {
  const file = fc.record({
    name: fc.stringMatching(/^[a-z][a-z0-9_/.]{0,40}[a-z0-9]$/).filter((name) => !name.includes('..')),
    content: fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes)),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(file, { maxLength: 6 }),
      fc.integer({ min: 1, max: 3000 }),
      fc.boolean(),
      async (files, length, trailer) => {
        const found = await read(archive(files, trailer), length);
        expect(found.map(({ content }) => content)).toEqual(files.map(({ content }) => content));
      },
    ),
    { numRuns: 50 },
  );
});

test('what is not read of a file is passed over', async () => {
  const bytes = archive([
    { name: 'a', content: Buffer.alloc(5000, 1) },
    { name: 'b', content: Buffer.from('end') },
  ]);
  const paths: string[] = [];
  for await (const { path } of tarEntries(inPieces(bytes, 700))) paths.push(path);
  expect(paths).toEqual(['a', 'b']);
});

test('a file of more than 8 GiB has its size in base 256', async () => {
  const size = 9 * 1024 ** 3;
  const entries = tarEntries(inPieces(header({ name: 'big', size }), 512));
  const { value } = await entries.next();
  expect(value?.size).toBe(size);
});

test.each(['/etc/passwd', '../up', 'base/../../up'])(
  'a name such as %s, which leads out, is refused',
  async (name) => {
    const error = await read(archive([{ name }])).catch((thrown: unknown) => thrown);
    expect(isFailure(error, 'source.unreadable')).toBe(true);
  },
);

test('a header that was changed on its way, a stream that ends early and a device are refused', async () => {
  const whole = archive([{ name: 'a', content: Buffer.alloc(900) }]);
  const changed = Buffer.from(whole);
  changed[3] = 65;
  for (const bytes of [changed, whole.subarray(0, 1000), archive([{ name: 'tty', type: '3' }])]) {
    await expect(read(bytes)).rejects.toThrow('cannot be understood');
  }
});
