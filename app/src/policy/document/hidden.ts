import { isHarmlessKey, isKnownKey } from '../schema/known-keys.ts';
import { NAME } from '../schema/values.ts';
import type { Extent, Located } from './located.ts';

/**
 * What may not be shown beside something that is wrong: whatever stands behind a key that is not known as harmless, and
 * keys that are neither known nor a name, since a secret becomes one where a colon is missing.
 */
export function hiddenParts(root: Located): Extent[] {
  return [...hiddenBelow(root, true)];
}

function* hiddenBelow(part: Located, harmless: boolean): Generator<Extent> {
  if (part.parts.size === 0) {
    if (!harmless && part.value !== null) yield part.extent;
    return;
  }
  for (const [name, inner] of part.parts) {
    if (typeof name === 'number') {
      yield* hiddenBelow(inner, harmless);
      continue;
    }
    const known = isKnownKey(name);
    if (!known && inner.key !== undefined && !isName(name, inner)) yield inner.key;
    yield* hiddenBelow(inner, isHarmlessKey(name));
  }
}

/** What a repository or a source is called. */
function isName(key: string, { value }: Located): boolean {
  return NAME.test(key) && typeof value === 'object' && value !== null;
}
