import { randomBytes, randomInt } from 'node:crypto';
import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathOf } from '../../engine/src/backend/layout.ts';
import { createLocal } from '../../engine/src/backend/local/local.ts';
import { encodeUnpacked } from '../../engine/src/format/compression.ts';
import { MOST_INDEXED_BLOBS } from '../../engine/src/format/index-file.ts';
import { encodeSnapshot } from '../../engine/src/format/snapshot.ts';
import { systemClock as clock } from '../../engine/src/kernel/clock.ts';
import { sha256Id } from '../../engine/src/kernel/hash.ts';
import type { Id } from '../../engine/src/kernel/id.ts';
import { createRepository } from '../../engine/src/repository/open.ts';
import type { Repository } from '../../engine/src/repository/repository.ts';

/** Index files and snapshots of a large repository are real, packs and trees are not there. */
export interface LargeRepository {
  readonly blobs: number;
  readonly snapshots: number;
}

export const PASSWORD = 'a password for benchmarks';

/** Where a repository of this size lies in `directory`; it is made when it is not there yet, in a minute or so. */
export async function largeRepository(
  directory: string,
  size: LargeRepository,
  signal: AbortSignal,
): Promise<string> {
  const place = path.join(directory, `scale-${size.blobs}-${size.snapshots}`);
  if (existsSync(place)) return place;
  const making = `${place}.making`;
  rmSync(making, { recursive: true, force: true });
  const backend = await createLocal({ path: making });
  const repository = await createRepository(backend, PASSWORD, { clock, signal });
  for (let left = size.blobs; left > 0; left -= MOST_INDEXED_BLOBS) {
    signal.throwIfAborted();
    writeSealed(repository, making, 'index', indexFile(Math.min(left, MOST_INDEXED_BLOBS)));
  }
  for (let number = 0; number < size.snapshots; number += 1) {
    signal.throwIfAborted();
    writeSealed(repository, making, 'snapshot', snapshot(number));
  }
  await backend.close();
  renameSync(making, place);
  return place;
}

/** Not through the backend, which makes each file durable by itself: nobody needs these to be. */
function writeSealed(repository: Repository, root: string, type: 'index' | 'snapshot', json: Buffer): void {
  const sealed = repository.sealer.seal(encodeUnpacked(repository.config.version, json, 'auto'));
  writeFileSync(path.join(root, pathOf({ type, name: sha256Id(sealed) })), sealed);
}

/** Blobs of some 400 kB, which are 40 in a pack of 16 MiB; every tenth pack holds trees. */
const PACK_BLOBS = 40;
const TREE_PACKS = 10;
const LARGEST_BLOB = 800_000;

function indexFile(blobs: number): Buffer {
  const packs: string[] = [];
  for (let first = 0; first < blobs; first += PACK_BLOBS) {
    const type = packs.length % TREE_PACKS === 0 ? 'tree' : 'data';
    packs.push(
      `{"id":"${randomId()}","blobs":[${packed(type, Math.min(PACK_BLOBS, blobs - first)).join()}]}`,
    );
  }
  return Buffer.from(`{"packs":[${packs.join()}]}\n`);
}

function packed(type: string, count: number): string[] {
  let offset = 0;
  return Array.from({ length: count }, () => {
    const length = randomInt(100, LARGEST_BLOB);
    const entry = `{"id":"${randomId()}","type":"${type}","offset":${offset},"length":${length},"uncompressed_length":${length * 2}}`;
    offset += length;
    return entry;
  });
}

const HOSTS = 50;
const SNAPSHOTS_A_DAY = 24;

function snapshot(number: number): Buffer {
  const time = new Date(Date.UTC(2016, 0, 1) + (number / SNAPSHOTS_A_DAY) * 86_400_000).toISOString();
  return encodeSnapshot({
    time,
    tree: randomId(),
    paths: ['/home', '/srv/data'],
    hostname: `host-${number % HOSTS}`,
    username: 'root',
    uid: 0,
    gid: 0,
    excludes: [],
    tags: number % 3 === 0 ? ['nightly'] : [],
    programVersion: 'restic 0.18.0',
  });
}

/** Drawn from the system by the megabyte: one by one, they would take longer than all the rest. */
function randomId(): Id {
  if (drawn + 64 > digits.length) {
    digits = randomBytes(DRAWN_AT_ONCE).toString('hex');
    drawn = 0;
  }
  drawn += 64;
  return digits.slice(drawn - 64, drawn) as Id;
}

const DRAWN_AT_ONCE = 1024 * 1024;
let digits = '';
let drawn = 0;
