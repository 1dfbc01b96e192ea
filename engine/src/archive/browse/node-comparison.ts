import type { ExtendedAttribute, Node } from '../../format/types.ts';
import type { Id } from '../../kernel/id.ts';

const COMPARED_FIELDS = [
  'mode',
  'mtime',
  'atime',
  'ctime',
  'uid',
  'gid',
  'user',
  'group',
  'inode',
  'deviceId',
  'size',
  'links',
  'device',
  'subtree',
  'error',
] as const satisfies readonly (keyof Node)[];

/**
 * How the second of two nodes with the same name differs, in restic's letters (restic manual, "Comparing Snapshots");
 * empty where it does not. Metadata counts only when asked for, and not beside content that changed.
 */
export function compareNodes(before: Node, after: Node, metadata: boolean): string {
  const type = before.type === after.type ? '' : 'T';
  if (before.type === 'file' && after.type === 'file' && !sameIds(before.content, after.content)) {
    return `${type}M${sameMetadata(before, after) ? '?' : ''}`;
  }
  return metadata && !sameMetadata(before, after) ? `${type}U` : type;
}

function sameMetadata(before: Node, after: Node): boolean {
  return (
    before.type === after.type &&
    COMPARED_FIELDS.every((field) => before[field] === after[field]) &&
    sameBytes(before.linkTarget, after.linkTarget) &&
    sameAttributes(before.extendedAttributes, after.extendedAttributes)
  );
}

export function sameIds(before: readonly Id[] = [], after: readonly Id[] = []): boolean {
  return before.length === after.length && before.every((id, at) => id === after[at]);
}

function sameBytes(before: Buffer | undefined, after: Buffer | undefined): boolean {
  return before === undefined || after === undefined ? before === after : before.equals(after);
}

/** The order in which a file system lists them means nothing. */
function sameAttributes(before: readonly ExtendedAttribute[], after: readonly ExtendedAttribute[]): boolean {
  return (
    before.length === after.length &&
    before.every(({ name, value }) =>
      after.some((other) => other.name.equals(name) && other.value.equals(value)),
    )
  );
}
