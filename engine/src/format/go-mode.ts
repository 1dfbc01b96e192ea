import type { NodeType } from './types.ts';

/*
 * restic stores Go's FileMode, not st_mode: the permissions are the same nine bits, all else stands elsewhere.
 *
 *   bit   31   27       26      25    24      23      22      21           20      19         8…0
 *         dir  symlink  device  fifo  socket  setuid  setgid  char device  sticky  irregular  rwxrwxrwx
 */

const PERMISSIONS = 0o777;

const GO_SETUID = 2 ** 23;
const GO_SETGID = 2 ** 22;
const GO_STICKY = 2 ** 20;

const SETUID = 0o4000;
const SETGID = 0o2000;
const STICKY = 0o1000;

const TYPE_BITS: Readonly<Record<NodeType, number>> = {
  file: 0,
  dir: 2 ** 31,
  symlink: 2 ** 27,
  dev: 2 ** 26,
  chardev: 2 ** 26 + 2 ** 21,
  fifo: 2 ** 25,
  socket: 2 ** 24,
  irregular: 2 ** 19,
};

/** Go's mode of a node of this type, for st_mode's lower 12 bits. */
export function goModeOf(type: NodeType, mode: number): number {
  // Added, not or-ed: bit 31 makes JavaScript's bit operations negative.
  return (
    TYPE_BITS[type] +
    (mode & PERMISSIONS) +
    (mode & SETUID ? GO_SETUID : 0) +
    (mode & SETGID ? GO_SETGID : 0) +
    (mode & STICKY ? GO_STICKY : 0)
  );
}

/** st_mode's lower 12 bits. What kind of node it is the type says, not the mode. */
export function modeFromGo(goMode: number): number {
  return (
    (goMode & PERMISSIONS) +
    (goMode & GO_SETUID ? SETUID : 0) +
    (goMode & GO_SETGID ? SETGID : 0) +
    (goMode & GO_STICKY ? STICKY : 0)
  );
}
