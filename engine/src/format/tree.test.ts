import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Failure } from '../kernel/failure.ts';
import type { Id } from '../kernel/id.ts';
import { ZERO_TIME } from './go-time.ts';
import { decodeTree, duplicateNames, encodeTree, isSafeName } from './tree.ts';
import type { Node } from './types.ts';

const one = 'a1'.repeat(32) as Id;
const two = 'b2'.repeat(32) as Id;

describe('a tree', () => {
  test('is written as restic writes it', () => {
    const file = aNode({
      name: Buffer.from('<a> "b"'),
      mode: 0o4755,
      mtime: 1_500_000_000_120_000_000n,
      size: 7,
      links: 2,
      deviceId: 65024n,
      device: 0n,
      content: [one, two],
      extendedAttributes: [{ name: Buffer.from('user.x'), value: Buffer.from('y') }],
    });
    const directory = aNode({
      name: Buffer.from('d'),
      type: 'dir',
      mode: 0o755,
      user: '',
      subtree: two,
      inode: 0n,
    });
    const times =
      '"mtime":"1970-01-01T00:00:00Z","atime":"1970-01-01T00:00:00Z","ctime":"1970-01-01T00:00:00Z"';
    expect(encodeTree([directory, file]).toString()).toBe(
      `{"nodes":[{"name":"\\u003ca\\u003e \\\\\\"b\\\\\\"","type":"file","mode":8389101,"mtime":"2017-07-14T02:40:00.12Z",` +
        `"atime":"1970-01-01T00:00:00Z","ctime":"1970-01-01T00:00:00Z","uid":0,"gid":0,"user":"root","group":"wheel",` +
        `"inode":12345678901234567890,"device_id":65024,"size":7,"links":2,` +
        `"extended_attributes":[{"name":"user.x","value":"eQ=="}],"content":["${one}","${two}"]},` +
        `{"name":"d","type":"dir","mode":2147484141,${times},"uid":0,"gid":0,"group":"wheel","content":null,"subtree":"${two}"}]}\n`,
    );
  });

  test('of an empty directory is an empty list', () => {
    expect(encodeTree([]).toString()).toBe('{"nodes":[]}\n');
    expect(decodeTree(Buffer.from('{"nodes":null}'))).toEqual({ nodes: [] });
  });

  test('comes back as it was, every field of every node', () => {
    fc.assert(
      fc.property(arbitraryNodes, (nodes) => {
        const decoded = decodeTree(encodeTree(nodes)).nodes;
        expect(decoded).toEqual(nodes.toSorted((a, b) => Buffer.compare(a.name, b.name)));
      }),
    );
  });

  test('is the same blob in whatever order its nodes come', () => {
    fc.assert(
      fc.property(arbitraryNodes, (nodes) => {
        expect(encodeTree(nodes.toReversed()).equals(encodeTree(nodes))).toBe(true);
      }),
    );
  });

  test('is not written with a name twice', () => {
    expect(() => encodeTree([aNode({}), aNode({ size: 1 })])).toThrow(
      expect.objectContaining({ code: 'internal' }),
    );
  });

  test('keeps link targets that are no UTF-8', () => {
    const linkTarget = Buffer.from([0x2f, 0xff, 0x3c]);
    const encoded = encodeTree([aNode({ type: 'symlink', linkTarget })]);
    expect(encoded.toString()).toContain('"linktarget":"/\\ufffd\\u003c","linktarget_raw":"L/88"');
    expect(decodeTree(encoded).nodes[0]?.linkTarget?.equals(linkTarget)).toBe(true);
  });

  test('keeps fields and types that we do not know', () => {
    const json =
      `{"nodes":[{"name":"x","type":"door","mtime":"1970-01-01T00:00:00Z","atime":"1970-01-01T00:00:00Z",` +
      `"ctime":"1970-01-01T00:00:00Z","uid":0,"gid":0,"generic_attributes":{"windows.file_attributes":32},` +
      `"content":null,"__proto__":{"a":1},"future":[true]}]}\n`;
    const { nodes } = decodeTree(Buffer.from(json));
    expect(nodes[0]?.type).toBe('irregular');
    expect(encodeTree(nodes).toString()).toBe(json.replace('"mtime"', '"mode":524288,"mtime"'));
  });

  test('reads what is missing as Go does', () => {
    expect(decodeTree(Buffer.from('{"nodes":[{"name":"x","type":"file","mtime":null}]}')).nodes).toEqual([
      {
        name: Buffer.from('x'),
        type: 'file',
        mode: 0,
        mtime: ZERO_TIME,
        atime: ZERO_TIME,
        ctime: ZERO_TIME,
        uid: 0,
        gid: 0,
        user: '',
        group: '',
        inode: 0n,
        deviceId: 0n,
        size: 0,
        links: 0,
        extendedAttributes: [],
        device: 0n,
      },
    ]);
  });

  test.each([
    ['no JSON', '{"nodes":['],
    ['a node that is no object', '{"nodes":[1]}'],
    ['a name that cannot be unquoted', '{"nodes":[{"name":"\\\\x","type":"file"}]}'],
    ['a time that is none', '{"nodes":[{"name":"x","mtime":"yesterday"}]}'],
    ['content that is no list of ids', '{"nodes":[{"name":"x","content":["../x"]}]}'],
    ['a subtree that is no id', '{"nodes":[{"name":"x","subtree":"x"}]}'],
    ['a negative size', '{"nodes":[{"name":"x","size":-1}]}'],
    ['a size beyond reason', '{"nodes":[{"name":"x","size":9007199254740993}]}'],
    ['an inode of more than 64 bits', '{"nodes":[{"name":"x","inode":18446744073709551616}]}'],
    ['a link target that is no base64', '{"nodes":[{"name":"x","linktarget_raw":"§"}]}'],
  ])('with %s is damage', (_, json) => {
    expect(() => decodeTree(Buffer.from(json))).toThrow(
      expect.objectContaining({ code: 'repository.damaged' }),
    );
  });

  test('of garbage is told, never a crash', () => {
    const field = fc.constantFrom(
      'name',
      'type',
      'mode',
      'mtime',
      'inode',
      'size',
      'content',
      'extended_attributes',
    );
    const garbage = fc.oneof(
      fc.uint8Array({ maxLength: 100 }),
      fc.json().map((text) => Buffer.from(`{"nodes":[${text}]}`)),
      fc.dictionary(field, fc.jsonValue()).map((node) => Buffer.from(JSON.stringify({ nodes: [node] }))),
    );
    fc.assert(
      fc.property(garbage, (bytes) => {
        try {
          decodeTree(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(Failure);
        }
      }),
    );
  });
});

describe('hostile names', () => {
  test.each(['', '.', '..', '/', 'a/b', '../../etc/passwd', 'a\0b'])('%j is not safe', (name) => {
    expect(isSafeName(Buffer.from(name))).toBe(false);
  });

  test.each(['...', '.hidden', 'a..b', '~', '\\', '-rf', '\n'])('%j is safe', (name) => {
    expect(isSafeName(Buffer.from(name))).toBe(true);
  });

  test('come out as they are, for a check to report', () => {
    const { nodes } = decodeTree(encodeTree([aNode({ name: Buffer.from('../x') })]));
    expect(nodes[0]?.name.toString()).toBe('../x');
  });

  test('that are there twice are found', () => {
    const names = ['a', 'b', 'a', 'c', 'a', 'c'].map((name) => aNode({ name: Buffer.from(name) }));
    expect(duplicateNames(names).map(String)).toEqual(['a', 'c']);
  });
});

function aNode(fields: Partial<Node>): Node {
  return {
    name: Buffer.from('x'),
    type: 'file',
    mode: 0o644,
    mtime: 0n,
    atime: 0n,
    ctime: 0n,
    uid: 0,
    gid: 0,
    user: 'root',
    group: 'wheel',
    inode: 12_345_678_901_234_567_890n,
    deviceId: 0n,
    size: 0,
    links: 0,
    extendedAttributes: [],
    device: 0n,
    ...fields,
  };
}

const bytes = (minLength: number) =>
  fc.uint8Array({ minLength, maxLength: 12 }).map((array) => Buffer.from(array));
const text = fc.string({ unit: 'grapheme', maxLength: 8 });
const time = fc.bigInt({ min: -(10n ** 19n), max: 10n ** 19n });
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const id = fc.constantFrom(one, two);

const arbitraryNodes: fc.Arbitrary<Node[]> = fc.uniqueArray(
  fc
    .record(
      {
        name: bytes(1),
        type: fc.constantFrom('file', 'dir', 'symlink', 'dev', 'chardev', 'fifo', 'socket', 'irregular'),
        mode: fc.integer({ min: 0, max: 0o7777 }),
        mtime: time,
        atime: time,
        ctime: time,
        uid: fc.nat(),
        gid: fc.nat(),
        user: text,
        group: text,
        inode: u64,
        deviceId: u64,
        size: fc.maxSafeNat(),
        links: fc.nat(),
        linkTarget: bytes(1),
        extendedAttributes: fc.array(
          fc.record({ name: text.map((name) => Buffer.from(name)), value: bytes(0) }),
          {
            maxLength: 2,
          },
        ),
        device: u64,
        content: fc.array(id, { maxLength: 3 }),
        subtree: id,
        error: fc.string({ minLength: 1 }),
      },
      {
        requiredKeys: [
          'name',
          'type',
          'mode',
          'mtime',
          'atime',
          'ctime',
          'uid',
          'gid',
          'user',
          'group',
          'inode',
          'deviceId',
          'size',
          'links',
          'extendedAttributes',
          'device',
        ],
      },
    )
    .map((node) => node as Node),
  { maxLength: 8, selector: (node) => node.name.toString('latin1') },
);
