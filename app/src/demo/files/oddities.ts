import {
  chmodSync,
  closeSync,
  constants,
  linkSync,
  mkdirSync,
  openSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Posix } from '@holdfast/engine';

const SPARSE_BYTES = 4 * 1024 * 1024;
/** 2001-09-09 01:46:40.123456789 UTC. */
const EXACT_TIME = 1_000_000_000_123_456_789n;

const NAMES = [
  'a name with  spaces ',
  '-rf',
  'new\nline',
  'quote"back\\slash',
  'Grüße, 世界 🗝',
  'x'.repeat(255),
  'e\u0301 is not \u00e9',
];

/**
 * What backups trip over: names that are no text, kinds of files that are no files, attributes beside the content.
 * What this file system does not have is left out, and told in the answer.
 */
export function makeOddities(directory: string, posix: Posix): string[] {
  const { attributes, times, nodes } = posix;
  const missing: string[] = [];
  const attempt = (what: string, make: () => void) => {
    try {
      make();
    } catch {
      missing.push(what);
    }
  };
  const place = (name: string) => join(directory, name);

  mkdirSync(place('empty directory'), { recursive: true });
  writeFileSync(place('empty file'), '');
  for (const name of NAMES)
    attempt(`the name ${JSON.stringify(name)}`, () => writeFileSync(place(name), name));
  const notText = Buffer.concat([Buffer.from(place('not text ')), Buffer.from([0xff, 0xfe, 0x80])]);
  attempt('names that are not UTF-8', () => writeFileSync(notText, 'bytes are bytes'));

  writeFileSync(place('one of two names'), 'the same file');
  linkSync(place('one of two names'), place('the other name'));
  symlinkSync('one of two names', place('symlink'));
  symlinkSync('../nowhere/at all', place('dangling symlink'));
  attempt('FIFOs', () => nodes?.make(Buffer.from(place('fifo')), constants.S_IFIFO | 0o640, 0n));

  writeFileSync(place('setuid'), '#!/bin/sh\n');
  chmodSync(place('setuid'), 0o4755);
  writeFileSync(place('read only'), 'nobody writes here');
  chmodSync(place('read only'), 0o400);
  mkdirSync(place('sticky'));
  chmodSync(place('sticky'), 0o1777);

  writeSparse(place('sparse'));
  writeFileSync(place('attributes'), 'with something beside the content');
  attempt('extended attributes', () =>
    attributes?.set(Buffer.from(place('attributes')), Buffer.from('user.holdfast'), Buffer.from([0, 1, 255])),
  );
  writeFileSync(place('exact time'), 'to the nanosecond');
  attempt('times to the nanosecond', () =>
    times?.set(Buffer.from(place('exact time')), { atime: EXACT_TIME, mtime: EXACT_TIME }),
  );
  return missing;
}

/** A little content at both ends of a hole. */
function writeSparse(path: string): void {
  writeFileSync(path, 'begins');
  truncateSync(path, SPARSE_BYTES);
  const file = openSync(path, 'r+');
  writeSync(file, 'ends', SPARSE_BYTES - 4);
  closeSync(file);
}
