import { isFailure } from '@holdfast/engine';
import { describe, expect, test } from 'vitest';
import {
  columnOf,
  constraintOf,
  existingOf,
  indexOf,
  selectionOf,
  stateOf,
  tableOf,
} from '../../../testing/table-facts.ts';
import type { Selection } from './selection.ts';
import { type Intent, planTables } from './table-plan.ts';
import type { TargetState } from './target-state.ts';

const plain: Intent = { replace: false, onlyMissing: false };
const orders = tableOf({ columns: [columnOf('id', { notNull: true })] });

function refusal(selection: Selection, state: TargetState, intent: Partial<Intent> = {}) {
  try {
    planTables(selection, state, { ...plain, ...intent });
  } catch (error) {
    if (isFailure(error)) return { code: error.code, hint: error.hint ?? '' };
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('what is there', () => {
  test('is refused by default, and a view or a type of that name always', () => {
    expect(refusal(selectionOf([orders]), stateOf(existingOf(orders)))).toMatchObject({
      code: 'target.exists',
    });
    const view = stateOf({ names: new Map([['shop', new Set(['orders'])]]) });
    expect(refusal(selectionOf([orders]), view, { replace: true })).toMatchObject({ code: 'target.exists' });
  });

  test('is replaced in one go: keys of others off, empty, full, keys on', () => {
    const key = {
      from: { schema: 'shop', name: 'items' },
      to: { schema: 'shop', name: 'orders' },
      name: 'of order',
      definition: 'FOREIGN KEY (o) REFERENCES shop.orders(id)',
      validated: true,
      comment: null,
      mayOwn: true,
    };
    const state = stateOf({ ...existingOf(orders), incoming: [key] });
    const { steps, before, after } = planTables(selectionOf([orders]), state, { ...plain, replace: true });
    expect(steps).toMatchObject([{ action: 'replace', rows: 10, rowsNow: 7 }]);
    expect(before.map(({ sql }) => sql)).toEqual([
      'ALTER TABLE "shop"."items" DROP CONSTRAINT "of order"',
      'TRUNCATE TABLE ONLY "shop"."orders"',
    ]);
    expect(after[0]).toMatchObject({
      sql: `ALTER TABLE "shop"."items" ADD CONSTRAINT "of order" ${key.definition}`,
    });
    expect(after[0]?.soft).toBeUndefined();

    const foreign = stateOf({ ...existingOf(orders), incoming: [{ ...key, mayOwn: false }] });
    expect(refusal(selectionOf([orders]), foreign, { replace: true }).code).toBe('target.privilege');
  });

  test('rests its triggers, and says when they cannot be stopped', () => {
    const trigger = { name: 'touch', definition: '', enabled: 'A', comment: null };
    const busy = tableOf({ triggers: [trigger, { ...trigger, name: 'off', enabled: 'D' }] });
    const mine = planTables(selectionOf([orders]), stateOf(existingOf(busy)), { ...plain, replace: true });
    expect(mine.before[0]?.sql).toBe('ALTER TABLE "shop"."orders" DISABLE TRIGGER "touch"');
    expect(mine.after.map(({ sql }) => sql)).toContain(
      'ALTER TABLE "shop"."orders" ENABLE ALWAYS TRIGGER "touch"',
    );
    const theirs = stateOf(existingOf(busy, { mayOwn: false }));
    const plan = planTables(selectionOf([orders]), theirs, { ...plain, replace: true });
    expect(plan.findings.map(({ code }) => code)).toContain('table.triggers-fire');
    expect(plan.before).toHaveLength(1);
  });

  test('is filled after what it points to', () => {
    const items = tableOf({
      oid: 2,
      name: 'a_items',
      constraints: [
        constraintOf('key', { kind: 'p', columns: ['id'] }),
        constraintOf('of', {
          kind: 'f',
          references: { schema: 'shop', name: 'orders', text: 'shop.orders' },
        }),
      ],
      columns: orders.columns,
    });
    const target = tableOf({ ...orders, constraints: [constraintOf('key', { kind: 'p', columns: ['id'] })] });
    const both = stateOf({
      tables: new Map([...(existingOf(items).tables ?? []), ...(existingOf(target).tables ?? [])]),
    });
    const { steps } = planTables(selectionOf([items, orders]), both, { ...plain, onlyMissing: true });
    expect(steps.map(({ to, action, key }) => [to.name, action, key])).toEqual([
      ['orders', 'add', ['id']],
      ['a_items', 'add', ['id']],
    ]);
  });
});

test('who may not is told the grants, all at once', () => {
  const nothing = { mayInsert: false, mayTruncate: false, maySelect: false };
  const state = stateOf({ ...existingOf(orders, nothing), role: 'o"x' });
  expect(refusal(selectionOf([orders]), state, { replace: true })).toEqual({
    code: 'target.privilege',
    hint: 'Nothing was changed. As an administrator: GRANT SELECT, INSERT, TRUNCATE ON "shop"."orders" TO "o""x";',
  });
  const closed = stateOf({ schemas: new Map(), mayCreateSchemas: false });
  expect(refusal(selectionOf([orders]), closed).hint).toContain(
    'GRANT CREATE ON DATABASE "shop" TO "clerk";',
  );
});

test('values go in binary form only where both sides mean the same by it', () => {
  const format = (selection: Partial<Selection>, state: Partial<TargetState>, portable = true) => {
    const table = tableOf({ columns: [columnOf('a', { portable })] });
    const [step] = planTables(selectionOf([table], selection), stateOf(state), plain).steps;
    return [step?.copies[0]?.format, step?.copies[0]?.encoding];
  };
  expect(format({}, {})).toEqual(['binary', 'UTF8']);
  expect(format({ major: 15 }, {})).toEqual(['text', 'UTF8']);
  expect(format({}, {}, false)).toEqual(['text', 'UTF8']);
  expect(format({ encoding: 'LATIN1' }, {})).toEqual(['text', 'UTF8']);
  expect(format({ encoding: 'SQL_ASCII' }, { encoding: 'SQL_ASCII' })).toEqual(['text', 'SQL_ASCII']);
});

test('of a partitioned table the indexes of partitions come before those that take them in', () => {
  const root = tableOf({
    name: 'all',
    partitioned: true,
    partitionKey: 'LIST (id)',
    indexes: [indexOf('by_all')],
    rows: 0,
  });
  const part = tableOf({ oid: 2, partitionBound: 'DEFAULT', parents: [root], indexes: [indexOf('by_part')] });
  const { steps, after } = planTables(selectionOf([root, part]), stateOf(), plain);
  expect(steps).toMatchObject([{ to: { name: 'all' }, rows: 10, copies: [{ to: { name: 'orders' } }] }]);
  const indexes = after.filter(({ sql }) => sql.startsWith('CREATE INDEX')).map(({ sql }) => sql);
  expect(indexes).toEqual([
    'CREATE INDEX "by_part" ON "shop"."orders" USING btree (id)',
    'CREATE INDEX "by_all" ON "shop"."all" USING btree (id)',
  ]);
});

test('a copy beside points to what comes with it and to nothing of today, and nobody else is let in', () => {
  const references = { schema: 'shop', name: 'customers', text: 'shop.customers' };
  const key = constraintOf('of', {
    kind: 'f',
    definition: 'FOREIGN KEY (c) REFERENCES shop.customers(id)',
    references,
  });
  const table = tableOf({
    constraints: [key],
    grants: [{ role: null, privilege: 'SELECT', grantable: false, column: null }],
    triggers: [{ name: 't', definition: 'CREATE TRIGGER t …', enabled: 'O', comment: null }],
  });
  const customers = tableOf({ oid: 3, name: 'customers' });
  const beside = { ...plain, into: 'then' };
  const alone = planTables(selectionOf([table]), stateOf(), beside);
  expect(alone.before[0]?.sql).toBe('CREATE SCHEMA "then"');
  expect(alone.after.map(({ sql }) => sql)).toEqual(['ANALYZE "then"."orders"']);
  expect(alone.findings.map(({ code }) => code)).toEqual(['table.beside']);
  const both = planTables(selectionOf([customers, table]), stateOf(), beside);
  expect(both.after.map(({ sql }) => sql)).toContain(
    'ALTER TABLE "then"."orders" ADD CONSTRAINT "of" FOREIGN KEY (c) REFERENCES "then"."customers"(id)',
  );
});

test('what cannot come is said before', () => {
  const table = tableOf({
    views: [{ schema: 'shop', name: 'overview' }],
    publications: ['all orders'],
    columns: [columnOf('photo', { type: 'oid' }), columnOf('name', { collation: 'shop."de"' })],
    parents: [{ schema: 'shop', name: 'all' }],
    indexes: [indexOf('broken', { valid: false })],
    labelled: true,
    typed: true,
  });
  const leftOut = [{ schema: 'shop', name: 'v', kind: 'v' }];
  const { findings, before } = planTables(
    selectionOf([table], { hasLargeObjects: true, leftOut }),
    stateOf(),
    plain,
  );
  expect(findings.map(({ code }) => code).toSorted()).toEqual([
    'table.collation',
    'table.index-invalid',
    'table.large-objects',
    'table.left-out',
    'table.parent',
    'table.publication',
    'table.security-label',
    'table.typed',
    'table.view',
  ]);
  expect(before[0]?.sql).not.toContain('COLLATE');
});
