import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';

/** All files below a directory, the largest first. */
export function filesBySize(directory: string): { path: string; size: number }[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .map((file) => ({ path: file, size: statSync(file).size }))
    .sort((a, b) => b.size - a.size);
}
