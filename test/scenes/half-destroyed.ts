import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openLocal } from '../../engine/src/backend/local/local.ts';
import type { Id } from '../../engine/src/kernel/id.ts';
import { openRepository } from '../../engine/src/repository/open.ts';
import { PackContents } from '../../engine/src/repository/pack-contents.ts';
import { noise } from '../../engine/src/testing/backend-suite.ts';

const MB = 1_000_000;
const PAGE = 8192;

/** A tree as a small company's machine has it: some thousand small files, and a database's file of many pages. */
export function growTree(root: string, generation: number): void {
  for (let folder = 0; folder < 20; folder += 1) {
    const directory = join(root, 'documents', `year ${generation}`, `${folder}`);
    mkdirSync(directory, { recursive: true });
    for (let at = 0; at < 50; at += 1) {
      writeFileSync(
        join(directory, `${at}.txt`),
        noise(500 + at * 40, generation * 10_000 + folder * 100 + at),
      );
    }
  }
  const database = join(root, 'database');
  mkdirSync(database, { recursive: true });
  const pages = generation === 1 ? noise(24 * MB, 1) : readFileSync(join(database, '16384'));
  // A few pages change from one generation to the next, all of them in the first tenth.
  for (let page = 0; page < 5; page += 1) pages.set(noise(PAGE, generation * 7 + page), page * 50 * PAGE);
  writeFileSync(join(database, '16384'), pages);
}

/** Where the packs of a repository lie, those with directory listings apart. */
export async function packFiles(
  repository: string,
  password: string,
): Promise<Record<'data' | 'tree', string[]>> {
  const opened = await openRepository(await openLocal({ path: repository }), password);
  const { index } = await opened.loadIndex();
  const contents = PackContents.of(index);
  const files: Record<'data' | 'tree', string[]> = { data: [], tree: [] };
  for (const [number, id] of index.packs.entries()) {
    const type = contents.blobsOf(number)[0]?.type ?? 'data';
    files[type].push(packPath(repository, id));
  }
  await opened.backend.close();
  return files;
}

function packPath(repository: string, id: Id): string {
  return join(repository, 'data', id.slice(0, 2), id);
}

export function filesIn(directory: string): string[] {
  return readdirSync(directory)
    .sort()
    .map((name) => join(directory, name));
}

/** As a bad disk does it: here and there a byte is another one. */
export function garble(path: string): void {
  const bytes = readFileSync(path);
  for (let at = 100; at < bytes.length; at += 300_000) bytes[at] = (bytes[at] ?? 0) ^ 0x40;
  rmSync(path);
  writeFileSync(path, bytes);
}

export function copyDirectory(from: string, to: string): void {
  rmSync(to, { recursive: true, force: true });
  cpSync(from, to, { recursive: true, preserveTimestamps: true });
}
