/**
 * Somebody who works while a backup runs: at a fixed rate it opens a random file of a tree, reads 16 KiB of it from
 * the disk, and computes a little. Takes the tree and the rate per second; says `ready`, goes on until its standard
 * input ends, and writes the latencies in milliseconds as JSON then.
 *
 * A request's latency counts from when it was due, not from when the one before let it begin: who has to wait behind
 * a slow request has to wait.
 */
import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { loadLibrary } from '../../engine/src/kernel/posix/library.ts';
import { Prng } from '../corpus/prng.ts';

const READ = 16 * 1024;
/** About a millisecond of computing. */
const HASHES = 30;

const [tree = '', rate = ''] = process.argv.slice(2);
const files = readdirSync(tree, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => path.join(entry.parentPath, entry.name))
  .sort();
const dropFromMemory = openDropping();
const prng = new Prng('somebody who works');
const buffer = Buffer.alloc(READ);
const latencies: number[] = [];
let working = true;
process.stdin.on('end', () => {
  working = false;
});
process.stdin.resume();
process.stdout.write('ready\n');

const started = performance.now();
for (let number = 0; working; number += 1) {
  const due = started + (number * 1000) / Number(rate);
  const early = due - performance.now();
  // Also when late: the end of standard input has to be heard.
  await (early > 0 ? delay(early) : nextTurn());
  request();
  latencies.push(performance.now() - due);
}
process.stdout.write(`${JSON.stringify(latencies)}\n`);

function request(): void {
  const file = openSync(files[prng.below(files.length)] ?? '', 'r');
  try {
    const { size } = fstatSync(file);
    const at = Math.floor(prng.below(Math.max(1, size - READ)) / 4096) * 4096;
    // What is in memory from the last time would show nothing of a busy disk.
    dropFromMemory(file);
    readSync(file, buffer, 0, READ, at);
  } finally {
    closeSync(file);
  }
  for (let round = 0; round < HASHES; round += 1) createHash('sha256').update(buffer).digest();
}

/** posix_fadvise(2) with POSIX_FADV_DONTNEED; does nothing where there is no such call. */
function openDropping(): (file: number) => void {
  const library = loadLibrary();
  if (typeof library === 'string' || library.platform !== 'linux') return () => undefined;
  const advise = library.bind('int posix_fadvise(int file, int64_t offset, int64_t length, int advice)');
  return (file) => void advise(file, 0, 0, 4);
}
