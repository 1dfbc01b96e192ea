import { goModeOf } from '../../format/go-mode.ts';
import type { Node } from '../../format/types.ts';

/** The letters of Go's FileMode for bits 31 to 19; `T`, `l`, `a` and `?` have no meaning on Linux. */
const FLAGS = 'dalTLDpSugct?';
const PERMISSIONS = 'rwxrwxrwx';

/** A node's type and permissions as restic shows them, which is Go's way: `drwxr-xr-x`, `Lrwxrwxrwx`, `urwxr-xr-x`. */
export function modeText({ type, mode }: Pick<Node, 'type' | 'mode'>): string {
  const goMode = goModeOf(type, mode);
  const isSet = (bit: number): boolean => Math.floor(goMode / 2 ** bit) % 2 === 1;
  const flags = [...FLAGS].filter((_, at) => isSet(31 - at)).join('');
  const permissions = [...PERMISSIONS].map((letter, at) => (isSet(8 - at) ? letter : '-')).join('');
  return (flags || '-') + permissions;
}
