/** `16384`, `16384_fsm`, `16384_vm`, `16384_init`, with `.1` and so on for further gigabytes; below a temporary's `t3_`. */
const RELATION =
  /^(?:global|base\/\d+|pg_tblspc\/\d+\/PG_[^/]+\/\d+)\/(?:t\d+_)?\d+(?:_(?:fsm|vm|init))?(?:\.(\d+))?$/;
const WAL = /^pg_wal\/[0-9A-F]{24}$/;

/** Whether a file of the data directory holds 8 KiB pages that are rewritten in place. */
export function isRelationFile(path: string): boolean {
  return RELATION.test(path);
}

/** Whether a file never shifts its content, so that it is cut best at fixed places. */
export function isRewrittenInPlace(path: string): boolean {
  return RELATION.test(path) || WAL.test(path);
}

/** The number in its relation of a file's first page: a relation is a file for each gigabyte. */
export function firstBlock(path: string): number {
  return Number(RELATION.exec(path)?.[1] ?? 0) * BLOCKS_PER_FILE;
}

/** 1 GiB of pages of 8 KiB: how PostgreSQL is built unless one asks for something else. */
const BLOCKS_PER_FILE = 131_072;
