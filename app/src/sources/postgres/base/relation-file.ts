/** `16384`, `16384_fsm`, `16384_vm`, `16384_init`, with `.1` and so on for further gigabytes; below a temporary's `t3_`. */
const RELATION =
  /^(?:(?<shared>global)|base\/(?<own>\d+)|pg_tblspc\/(?<space>\d+)\/PG_[^/]+\/(?<database>\d+))\/(?:t\d+_)?(?<relation>\d+)(?:_(?<fork>fsm|vm|init))?(?:\.(?<segment>\d+))?$/;
const WAL = /^pg_wal\/[0-9A-F]{24}$/;

/** pg_default and pg_global, whose oids are the same everywhere. */
const DEFAULT_SPACE = 1663;
const SHARED_SPACE = 1664;

/** 1 GiB of pages of 8 KiB: how PostgreSQL is built unless one asks for something else. */
export const BLOCKS_PER_SEGMENT = 131_072;

/** What the name of a file of 8 KiB pages says. */
export interface RelationFile {
  /** Oids; the database's is 0 for what all share. */
  readonly tablespace: number;
  readonly database: number;
  /** The file node: not the table's oid once it was rewritten. */
  readonly relation: number;
  readonly fork: 'main' | 'fsm' | 'vm' | 'init';
  /** Which gigabyte of its relation it is, from 0. */
  readonly segment: number;
}

/** Reads the path of a file below the data directory; undefined unless it holds pages that are rewritten in place. */
export function parseRelationPath(path: string): RelationFile | undefined {
  const parts = RELATION.exec(path)?.groups;
  if (parts === undefined) return undefined;
  const { shared, own, space, database, relation, fork = 'main', segment = 0 } = parts;
  return {
    tablespace: shared === undefined ? Number(space ?? DEFAULT_SPACE) : SHARED_SPACE,
    database: Number(own ?? database ?? 0),
    relation: Number(relation),
    fork: fork as RelationFile['fork'],
    segment: Number(segment),
  };
}

export function isRelationFile(path: string): boolean {
  return RELATION.test(path);
}

/** Whether a file never shifts its content, so that it is cut best at fixed places. */
export function isRewrittenInPlace(path: string): boolean {
  return RELATION.test(path) || WAL.test(path);
}

/** The number in its relation of a file's first page: a relation is a file for each gigabyte. */
export function firstBlock(path: string): number {
  return (parseRelationPath(path)?.segment ?? 0) * BLOCKS_PER_SEGMENT;
}
