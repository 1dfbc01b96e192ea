import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Marks a directory so that backups leave it out (Cache Directory Tagging Specification). */
export function tagAsCache(directory: string): void {
  const tag = 'Signature: 8a477f597d28d172789f06886806bc55\n# This directory is a cache of Holdfast.\n';
  try {
    writeFileSync(join(directory, 'CACHEDIR.TAG'), tag, { flag: 'wx' });
  } catch {
    // There already, in nearly every run.
  }
}
