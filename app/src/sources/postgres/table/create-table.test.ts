import { expect, test } from 'vitest';
import { columnOf, constraintOf, sequenceOf, tableOf } from '../../../testing/table-facts.ts';
import { createSequences, createTable, setSequence } from './create-table.ts';
import { Placement, type PlacementRequest } from './placement.ts';
import type { TableThen } from './selection.ts';

const statements = (
  table: TableThen,
  more: { major?: number; request?: PlacementRequest; taken?: string[] } = {},
) => {
  const placement = new Placement(more.request ?? {}, [table], new Map([['shop', new Set(more.taken)]]));
  const parents = table.parents.filter(({ schema }) => schema === 'shop');
  return [
    ...createSequences([table], placement),
    ...createTable(table, { placement, major: more.major ?? 18, parents }),
  ].map(({ sql }) => sql);
};

test('a table is made with its columns as the catalog tells them', () => {
  const table = tableOf({
    options: ['fillfactor=80', 'toast.autovacuum_enabled=false'],
    columns: [
      columnOf('id', { type: 'bigint', notNull: true, identity: 'always' }),
      columnOf('a "b"', { type: 'numeric(10,2)', default: "'1'::numeric", collation: 'pg_catalog."C"' }),
      columnOf('twice', { generated: { expression: '(id * 2)', stored: true } }),
      columnOf('thrice', { generated: { expression: '(id * 3)', stored: false } }),
    ],
    constraints: [constraintOf('positive', { definition: 'CHECK ((id > 0))' })],
    sequences: [sequenceOf('orders_id_seq', { identity: true, type: 'bigint', cycle: true })],
  });
  expect(statements(table)).toEqual([
    [
      'CREATE TABLE "shop"."orders" (',
      '  "id" bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME "shop"."orders_id_seq" START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 CYCLE) NOT NULL,',
      '  "a ""b""" numeric(10,2) COLLATE pg_catalog."C" DEFAULT \'1\'::numeric,',
      '  "twice" integer GENERATED ALWAYS AS ((id * 2)) STORED,',
      '  "thrice" integer GENERATED ALWAYS AS ((id * 3)) VIRTUAL,',
      '  CONSTRAINT "positive" CHECK ((id > 0))',
      ')',
      "WITH (fillfactor='80', toast.autovacuum_enabled='false')",
    ].join('\n'),
  ]);
});

test('a serial column asks its sequence wherever that has to go', () => {
  const table = tableOf({
    columns: [columnOf('id', { default: "nextval('shop.orders_id_seq'::regclass)" })],
    sequences: [sequenceOf('orders_id_seq')],
  });
  expect(statements(table, { taken: ['orders_id_seq'] })).toEqual([
    expect.stringContaining('CREATE SEQUENCE "shop"."orders_id_seq_1" AS integer START WITH 1'),
    expect.stringContaining(`DEFAULT nextval('"shop"."orders_id_seq_1"'::regclass)`),
    'ALTER SEQUENCE "shop"."orders_id_seq_1" OWNED BY "shop"."orders"."id"',
  ]);
  expect(statements(table, { request: { as: "it's", into: 'then' } })[1]).toContain(
    `DEFAULT nextval('"then"."it''s_id_seq"'::regclass)`,
  );
});

test('a sequence that belongs to nobody is made only where it is not', () => {
  const table = tableOf({ sequences: [sequenceOf('shared', { owned: false })] });
  expect(statements(table, { taken: ['shared'] })).toHaveLength(1);
  expect(statements(table)[0]).toContain('CREATE SEQUENCE "shop"."shared"');
});

test('a name of NOT NULL is kept where the server knows such names', () => {
  const table = tableOf({
    columns: [columnOf('id', { notNull: true })],
    constraints: [constraintOf('must', { kind: 'n', columns: ['id'], noInherit: true })],
  });
  expect(statements(table)[0]).toContain('"id" integer CONSTRAINT "must" NOT NULL NO INHERIT');
  expect(statements(table, { major: 17 })[0]).toContain('"id" integer NOT NULL\n');
});

test('a partition is made alone and then attached; a child inherits', () => {
  const parents = [{ schema: 'shop', name: 'all' }];
  const columns = [columnOf('id', { local: false, default: '5' })];
  expect(statements(tableOf({ parents, columns, partitionBound: "FOR VALUES IN ('x')" }))).toEqual([
    'CREATE TABLE "shop"."orders" (\n  "id" integer DEFAULT 5\n)',
    `ALTER TABLE ONLY "shop"."all" ATTACH PARTITION "shop"."orders" FOR VALUES IN ('x')`,
  ]);
  expect(statements(tableOf({ parents, columns }))).toEqual([
    'CREATE TABLE "shop"."orders" ()\nINHERITS ("shop"."all")',
    'ALTER TABLE ONLY "shop"."orders" ALTER COLUMN "id" SET DEFAULT 5',
  ]);
});

test('a sequence goes on where it was, and one that has reached its end has reached it again', () => {
  const placement = new Placement({}, [], new Map());
  const value = (facts: Parameters<typeof sequenceOf>[1]) =>
    setSequence(sequenceOf('s', facts), placement).sql;
  expect(value({ next: '8' })).toContain(', 8, false)');
  expect(value({ next: '11', maximum: '10' })).toContain(', 10, true)');
  expect(value({ next: '-9223372036854775809', increment: '-1', minimum: '-9223372036854775808' })).toContain(
    ', -9223372036854775808, true)',
  );
});
