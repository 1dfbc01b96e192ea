import type { Path } from '../problem.ts';

/** Offsets in the text: the first character, and the first behind it. */
export type Extent = readonly [from: number, to: number];

/** A value of the document, and where each of its parts is written. */
export interface Located {
  readonly value: unknown;
  readonly extent: Extent;
  /** Of the key that it stands behind. */
  readonly key?: Extent;
  readonly parts: ReadonlyMap<string | number, Located>;
}

/** Where a path lies: its end, or as far as it is written. */
export function locate(root: Located, path: Path): { readonly found: Located; readonly whole: boolean } {
  let found = root;
  for (const part of path) {
    const next = found.parts.get(part);
    if (next === undefined) return { found, whole: false };
    found = next;
  }
  return { found, whole: true };
}
