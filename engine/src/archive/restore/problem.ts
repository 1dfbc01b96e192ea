import { getSystemErrorMessage } from 'node:util';

/** Something that did not come back as it is in the snapshot. */
export interface RestoreProblem {
  /** Within the snapshot, as text for people. */
  readonly path: string;
  /**
   * `damaged`: the repository cannot give the content. `incomplete`: it gave some of it, which was kept, with zeros in
   * the place of the rest. `unsafe`: the name could lead out of the target, or is there
   * twice. `in-the-way`: something in the target that was not to be overwritten, or could not be. `write`: the target's
   * file system refused. `differs`: what was read back is not what was written.
   */
  readonly kind: 'damaged' | 'incomplete' | 'unsafe' | 'in-the-way' | 'write' | 'differs';
  readonly message: string;
}

/** What the target, or this user, cannot keep of an entry's attributes. */
export const NOT_KEPT = ['owners', 'modes', 'attributes', 'times', 'specials', 'sockets'] as const;

export type NotKeptKind = (typeof NOT_KEPT)[number];

/** Said once for each kind. */
export interface NotKept {
  readonly kind: NotKeptKind;
  readonly count: number;
  /** The first one's reason. */
  readonly reason: string;
}

export function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code;
}

/** Without the path, which goes through a descriptor and would tell people nothing. */
export function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { errno, code, syscall } = error as NodeJS.ErrnoException;
  if (errno === undefined || code === undefined) return error.message;
  return `${getSystemErrorMessage(errno)} (${code}${syscall === undefined ? '' : ` from ${syscall}`})`;
}

/** Whether nothing more can be written at all: going on would only make a list as long as the snapshot. */
export function isFatalForTarget(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'ENOSPC' || code === 'EDQUOT' || code === 'EROFS';
}

/** What EEXIST means where we make something in a place that had nothing of that name. */
export const TWO_NAMES =
  'on this file system the name is the same as that of another entry, or somebody else made it';
