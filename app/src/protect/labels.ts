/** How a snapshot says which source of a policy it is of: tags, since `restic copy` carries nothing else. */
export function sourceTags(stack: string, source: string): string[] {
  return [`stack:${stack}`, `source:${source}`];
}

/** Something could not be read when it was taken: it is sound, but no good point. */
export const INCOMPLETE_TAG = 'holdfast:incomplete';

/** The source that a snapshot's tags name; undefined for one that no policy has taken. */
export function sourceOf(tags: readonly string[]): string | undefined {
  return tags.find((tag) => tag.startsWith(SOURCE))?.slice(SOURCE.length);
}

const SOURCE = 'source:';
