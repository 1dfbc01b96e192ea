import { lstatSync, rmdirSync, unlinkSync } from 'node:fs';
import { type BytePath, toSystemPath } from '../backup/byte-path.ts';

/** Removes what is in the way. A directory only when it is empty: what else is in it, nobody asked about. */
export function removeOne(path: BytePath): void {
  if (lstatSync(toSystemPath(path)).isDirectory()) rmdirSync(toSystemPath(path));
  else unlinkSync(toSystemPath(path));
}
