import type { SavedFile } from './saved-files.ts';

/**
 * Where the original of a saved file may lie, as absolute paths, the likeliest first. A snapshot of an absolute path has
 * all its names from the root; of a relative one those it was given with, and `paths` says where that was.
 *
 * `directory` is where somebody says that the files are now: with the whole path below it, or only with what was below
 * the saved path, or with that path's last name too.
 */
export function originalPlaces({ snapshot, names }: Omit<SavedFile, 'node'>, directory?: string): Buffer[] {
  const inside = names.flatMap((name) => [SLASH, name]);
  const places: Buffer[] = [];
  const add = (base: string, parts: readonly Buffer[]) => {
    const place = Buffer.concat([Buffer.from(base.replace(/\/+$/, '')), ...parts]);
    if (!places.some((known) => known.equals(place))) places.push(place);
  };
  add(directory ?? '', inside);
  for (const path of snapshot.paths) {
    const saved = path.split('/').filter((part) => part !== '');
    const depth = overlap(saved, names);
    if (directory === undefined) {
      const above = saved.slice(0, saved.length - depth).join('/');
      add(above === '' ? '' : `/${above}`, inside);
      continue;
    }
    for (const skipped of [depth, depth - 1]) {
      if (skipped > 0)
        add(
          directory,
          names.slice(skipped).flatMap((name) => [SLASH, name]),
        );
    }
  }
  return places;
}

/** How many of the first names are the last ones of the saved path: `/home/ann` and `ann/letter` share one. */
function overlap(saved: readonly string[], names: readonly Buffer[]): number {
  const texts = names.map((name) => name.toString());
  for (let depth = Math.min(saved.length, texts.length); depth > 0; depth -= 1) {
    const tail = saved.slice(saved.length - depth);
    if (tail.every((part, at) => part === texts[at])) return depth;
  }
  return 0;
}

const SLASH = Buffer.from('/');
