import { describe, expect, test } from 'vitest';
import { compileSelection, type SelectionEntry, type SelectionRules, tagsOf } from './exclude.ts';
import { parseSize, type SelectionFlags, selectionRules } from './exclude-flags.ts';

const select = (flags: Partial<SelectionFlags>) =>
  compileSelection(
    structuredClone(
      selectionRules({ environment: (name) => (name === 'HOME' ? '/home/ann' : ''), ...flags }),
    ),
  );

function entry(path: string, rest: Partial<SelectionEntry> = {}): SelectionEntry {
  return { path, name: path.slice(path.lastIndexOf('/') + 1), type: 'file', size: 10, device: 1n, ...rest };
}

test('without rules everything is included', () => {
  const rules: SelectionRules = selectionRules({ environment: () => undefined });
  expect(rules).toEqual({ patterns: [], patternsIgnoringCase: [], tagFiles: [] });
  expect(compileSelection(rules).decide(entry('/a', { size: 1e15, device: 99n }))).toBe('include');
});

test('patterns of flags come before those of files, and rules cross to a worker as plain data', () => {
  const selection = select({
    exclude: ['*.tmp'],
    excludeFiles: [{ name: 'list', content: Buffer.from('!keep.tmp\n$HOME/x\n') }],
    iexclude: ['*.BAK'],
    iexcludeFiles: [{ name: 'other', content: Buffer.from('THUMBS.db\n') }],
  });
  expect(selection.decide(entry('/a/b.tmp'))).toEqual({ exclude: 'pattern' });
  expect(selection.decide(entry('/a/keep.tmp'))).toBe('include');
  expect(selection.decide(entry('/home/ann/x', { type: 'dir' }))).toEqual({ exclude: 'pattern' });
  expect(selection.decide(entry('/a/b.bak'))).toEqual({ exclude: 'pattern' });
  expect(selection.decide(entry('/a/Thumbs.DB'))).toEqual({ exclude: 'pattern' });
  expect(selection.decide(entry('/a/B.TMP'))).toBe('include');
});

test('a malformed pattern is a usage failure that names where it stands', () => {
  const environment = () => undefined;
  expect(() => selectionRules({ environment, iexclude: ['[a'] })).toThrow(
    expect.objectContaining({ code: 'usage', message: '--iexclude: The pattern [a is malformed.' }),
  );
  expect(() =>
    selectionRules({ environment, excludeFiles: [{ name: 'list', content: Buffer.from('a\n[b') }] }),
  ).toThrow(/--exclude-file list/);
});

describe('tag files', () => {
  const selection = select({ excludeCaches: true, excludeIfPresent: ['.nobackup', '.skip:yes'] });
  const signature = Buffer.from('Signature: 8a477f597d28d172789f06886806bc55\n# more');
  const look = (files: Record<string, Buffer | undefined>) =>
    tagsOf(
      selection.tagFiles,
      Object.keys(files).map((name) => Buffer.from(name)),
      (name, length) => files[name.toString()]?.subarray(0, length),
    );

  test('a cache directory keeps its tag and nothing else', () => {
    expect(signature.indexOf('\n')).toBe(43);
    const { holding, mistaken } = look({ data: Buffer.alloc(0), 'CACHEDIR.TAG': signature });
    expect(mistaken).toEqual([]);
    expect(holding.map((tag) => tag.name)).toEqual(['CACHEDIR.TAG']);
    expect(selection.decide(entry('/c/CACHEDIR.TAG'), holding)).toBe('include');
    expect(selection.decide(entry('/c/data'), holding)).toEqual({ exclude: 'tag-file' });
    expect(selection.decide(entry('/c/below', { type: 'dir' }), holding)).toEqual({ exclude: 'tag-file' });
  });

  test('a tag with another beginning, a short one or an unreadable one does not hold, and is told', () => {
    for (const content of [Buffer.from('Signature: 0'.padEnd(43)), signature.subarray(0, 42), undefined]) {
      const { holding, mistaken } = look({ 'CACHEDIR.TAG': content });
      expect([holding, mistaken.map((tag) => tag.name)]).toEqual([[], ['CACHEDIR.TAG']]);
    }
  });

  test('without a header the name is enough, even of a file that cannot be read', () => {
    expect(look({ '.nobackup': undefined }).holding).toEqual([{ name: '.nobackup' }]);
    expect(look({ '.skip': Buffer.from('yes, do') }).holding).toEqual([{ name: '.skip', header: 'yes' }]);
    expect(look({ '.skip': Buffer.from('no') }).holding).toEqual([]);
    expect(look({ other: undefined })).toEqual({ holding: [], mistaken: [] });
  });

  test('two tags in one directory leave nothing of it', () => {
    const { holding } = look({ '.nobackup': Buffer.alloc(0), 'CACHEDIR.TAG': signature });
    expect(selection.decide(entry('/c/.nobackup'), holding)).toEqual({ exclude: 'tag-file' });
  });

  test('what is no file name is refused', () => {
    for (const excludeIfPresent of ['', ':header', 'a/b']) {
      expect(() =>
        selectionRules({ environment: () => undefined, excludeIfPresent: [excludeIfPresent] }),
      ).toThrow(expect.objectContaining({ code: 'usage' }));
    }
  });
});

describe('size', () => {
  test('a file larger than the limit is left out, one of the very size and directories are not', () => {
    const selection = select({ excludeLargerThan: '1k' });
    expect(selection.decide(entry('/a', { size: 1024 }))).toBe('include');
    expect(selection.decide(entry('/a', { size: 1025 }))).toEqual({ exclude: 'size' });
    expect(selection.decide(entry('/a', { size: 4096, type: 'dir' }))).toBe('include');
  });

  test.each([
    ['2048', 2048],
    ['0', 0],
    ['10K', 10 * 1024],
    ['1m', 1024 ** 2],
    ['30G', 30 * 1024 ** 3],
    ['2t', 2 * 1024 ** 4],
    ['7b', 7],
  ])('%s is %d bytes', (text, bytes) => expect(parseSize(text)).toBe(bytes));

  test.each(['', 'k', '1.5G', '-1', '1kb', '1 M', '99999999T'])('%j is no size', (text) => {
    expect(() => parseSize(text)).toThrow(expect.objectContaining({ code: 'usage' }));
  });
});

describe('one file system', () => {
  test('a mount point stays as an empty directory, what else lies elsewhere is left out', () => {
    const selection = select({ roots: [{ path: '/', device: 1n }] });
    expect(selection.decide(entry('/home', { type: 'dir' }))).toBe('include');
    expect(selection.decide(entry('/proc', { type: 'dir', device: 5n }))).toBe('mount-point');
    expect(selection.decide(entry('/etc/hosts', { device: 5n }))).toEqual({ exclude: 'file-system' });
  });

  test('each root has its own device, also when one lies in another', () => {
    const selection = select({
      roots: [
        { path: '/', device: 1n },
        { path: '/media/usb', device: 7n },
      ],
    });
    expect(selection.decide(entry('/media/usb', { type: 'dir', device: 7n }))).toBe('include');
    expect(selection.decide(entry('/media/usb/x', { device: 7n }))).toBe('include');
    expect(selection.decide(entry('/media/usb/y', { type: 'dir', device: 1n }))).toBe('mount-point');
    expect(selection.decide(entry('/media/usb2', { type: 'dir', device: 7n }))).toBe('mount-point');
    expect(selection.decide(entry('/etc', { type: 'dir', device: 1n }))).toBe('include');
  });
});
