import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseManifest } from '../../app/src/sources/postgres/base/manifest.ts';
import type { Id } from '../../engine/src/kernel/id.ts';
import { createPageSums } from '../../engine/src/kernel/page-sums.ts';
import type { IndexedRepository } from '../../engine/src/repository/indexed-repository.ts';

/** Every file below a tree, with its size and the ids of its chunks. */
export async function contentsOf(
  indexed: IndexedRepository,
  tree: Id,
  folder = '',
): Promise<Map<string, string>> {
  const contents = new Map<string, string>();
  for (const node of (await indexed.loadTree(tree)).nodes) {
    const name = `${folder}${node.name.toString()}`;
    if (node.subtree !== undefined) {
      for (const entry of await contentsOf(indexed, node.subtree, `${name}/`)) contents.set(...entry);
    } else if (node.type === 'file') {
      contents.set(name, `${node.size} ${(node.content ?? []).join(' ')}`);
    }
  }
  return contents;
}

/**
 * What pg_verifybackup looks at: the files that are not as backup_manifest has them, in size or in their sum. The map of
 * tablespaces is written by the restore.
 */
export async function unlikeManifest(
  target: string,
  tablespaces: readonly { readonly oid: number; readonly directory: string }[],
): Promise<string[]> {
  const { files } = parseManifest(await readFile(path.join(target, 'backup_manifest')));
  const sums = createPageSums();
  const unlike: string[] = [];
  for (const file of files) {
    if (file.path === 'tablespace_map') continue;
    const [, oid, below] = /^pg_tblspc\/(\d+)\/(.*)$/.exec(file.path) ?? [];
    const space = tablespaces.find((each) => String(each.oid) === oid);
    const place =
      space === undefined ? path.join(target, file.path) : path.join(space.directory, below ?? '');
    const bytes = await readFile(place).catch(() => undefined);
    if (bytes === undefined) {
      unlike.push(`${file.path} is missing`);
      continue;
    }
    sums.begin();
    sums.add(bytes);
    const { crc32c } = sums.end();
    if (bytes.length !== file.size) unlike.push(`${file.path} has ${bytes.length} bytes, not ${file.size}`);
    else if (file.crc32c !== crc32c) unlike.push(`${file.path} has another sum than ${file.crc32c}`);
  }
  return unlike;
}
