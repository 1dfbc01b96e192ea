import { Failure } from '@holdfast/engine';
import { identifier } from '../connection/replication-session.ts';

/** A relation as the catalog has it: neither part is quoted or folded. */
export interface RelationName {
  readonly schema: string;
  readonly name: string;
}

/** What somebody typed; without a schema any schema is meant that has such a table. */
export interface WantedTable {
  readonly schema?: Reading;
  readonly name: Reading;
}

/** Quotes are easily lost in a shell: what SQL would make of the word, and the word as it stands. */
interface Reading {
  readonly folded: string;
  readonly literal: string;
}

/** For SQL: always quoted, so that no name can be taken for a keyword, be folded or end the statement. */
export function qualified({ schema, name }: RelationName): string {
  return `${identifier(schema)}.${identifier(name)}`;
}

/** For people: as the catalog has it, with quotes only where a dot would be ambiguous. */
export function relationText({ schema, name }: RelationName): string {
  return [schema, name].map((part) => (part.includes('.') ? identifier(part) : part)).join('.');
}

/** Reads `orders`, `shop.orders`, `"My Shop"."Order.Items"` as SQL does. */
export function parseWantedTable(text: string): WantedTable {
  const parts: Reading[] = [];
  let rest = text;
  do {
    const match = /^(?:"((?:[^"]|"")+)"|([^".]+))(\.(?=.)|$)/su.exec(rest);
    if (match === null) {
      throw new Failure('usage', `"${text}" is not the name of a table`, {
        hint: 'It looks like orders, shop.orders or \'"My Shop"."Orders"\'.',
      });
    }
    const [whole, quoted, plain = ''] = match;
    const literal = quoted?.replaceAll('""', '"') ?? plain;
    parts.push({ literal, folded: quoted === undefined ? plain.toLowerCase() : literal });
    rest = rest.slice(whole.length);
  } while (rest !== '');
  const [first, second, third] = parts;
  if (first !== undefined && second === undefined) return { name: first };
  if (first !== undefined && second !== undefined && third === undefined) {
    return { schema: first, name: second };
  }
  throw new Failure('usage', `"${text}" has more than a schema and a table`, {
    hint: 'Say with --database which database it is in; a dot within a name stands in double quotes.',
  });
}

/**
 * The table that is meant: SQL's reading of the name wins over the literal one. Undefined when there is none; several
 * when the schema has to be said.
 */
export function chooseTable(wanted: WantedTable, there: readonly RelationName[]): readonly RelationName[] {
  for (const reading of ['folded', 'literal'] as const) {
    const { schema, name } = wanted;
    const found = there.filter(
      (table) => table.name === name[reading] && (schema === undefined || table.schema === schema[reading]),
    );
    if (found.length > 0) return found;
  }
  return [];
}

/** The name itself, or the nearest that nothing has yet. PostgreSQL cuts names at 63 bytes, so the end must fit. */
export function freeName(wanted: string, taken: ReadonlySet<string>): string {
  for (let attempt = 0; ; attempt++) {
    const end = attempt === 0 ? '' : `_${attempt}`;
    const name = cutTo(wanted, LONGEST_NAME - end.length) + end;
    if (!taken.has(name)) return name;
  }
}

function cutTo(text: string, bytes: number): string {
  let cut = text;
  while (Buffer.byteLength(cut) > bytes) cut = [...cut].slice(0, -1).join('');
  return cut;
}

/** Bytes, NAMEDATALEN less its zero. */
const LONGEST_NAME = 63;
