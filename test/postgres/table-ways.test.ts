import { isFailure } from '@holdfast/engine';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { logIn } from '../../app/src/sources/postgres/connection/login.ts';
import { parseServerUrl, serverAddress } from '../../app/src/sources/postgres/connection/server-address.ts';
import { type RunningPostgres, startPostgres } from '../servers/postgres.ts';
import { bringTables, contentOf } from './table-scene.ts';

const SHOP = `
  DROP SCHEMA IF EXISTS shop CASCADE; DROP SCHEMA IF EXISTS earlier CASCADE; DROP TABLE IF EXISTS other;
  CREATE SCHEMA shop;
  CREATE TABLE shop.customers (id int PRIMARY KEY, name text);
  CREATE TABLE shop.orders (id serial PRIMARY KEY, customer int REFERENCES shop.customers, note text);
  CREATE TABLE shop.items (id int PRIMARY KEY, "order" int NOT NULL CONSTRAINT of_order REFERENCES shop.orders);
  COMMENT ON CONSTRAINT of_order ON shop.items IS 'belongs to';
  INSERT INTO shop.customers SELECT n, 'customer ' || n FROM generate_series(1, 50) AS n;
  INSERT INTO shop.orders (customer, note) SELECT 1 + n % 50, 'order ' || n FROM generate_series(1, 1000) AS n;
  INSERT INTO shop.items SELECT n, n FROM generate_series(1, 500) AS n;`;

let then: RunningPostgres;
let now: RunningPostgres;
beforeAll(async () => {
  then = await startPostgres({ major: 16 });
  now = await startPostgres({ major: 16 });
});
afterAll(async () => {
  await then[Symbol.asyncDispose]();
  await now[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await then.query(SHOP);
  await now.query(SHOP);
});

const refusal = async (work: Promise<unknown>) => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isFailure(error)) throw error ?? new Error('nothing was refused');
  return { code: error.code, text: `${error.message} ${error.hint}` };
};

const everything = async () => {
  const tables = ['shop.customers', 'shop.orders', 'shop.items'];
  const contents = await Promise.all(tables.map((table) => contentOf(now, table)));
  const keys = await now.query('SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint ORDER BY oid');
  const names = await now.query('SELECT oid, relname FROM pg_class ORDER BY oid');
  return { contents, keys, names };
};

describe('a table that is there', () => {
  test('is not touched unless it is said how', async () => {
    await now.query('DELETE FROM shop.items; DELETE FROM shop.orders WHERE id > 10');
    const before = await everything();
    const { code, text } = await refusal(bringTables(then, now, { tables: ['shop.orders'] }));
    expect(code).toBe('target.exists');
    expect(text).toMatch(/shop\.orders.*--as NAME.*--into SCHEMA.*--only-missing.*--replace/);
    expect(await everything()).toEqual(before);
  });

  test('stays as it is when the one of then comes beside it under another name', async () => {
    await now.query("UPDATE shop.orders SET note = 'spoilt'");
    const spoilt = await contentOf(now, 'shop.orders');
    await bringTables(then, now, { tables: ['shop.orders'], as: 'orders_then' });
    expect(await contentOf(now, 'shop.orders_then')).toBe(await contentOf(then, 'shop.orders'));
    expect(await contentOf(now, 'shop.orders')).toBe(spoilt);
    const names = await now.query(
      "SELECT pg_get_indexdef(indexrelid) AS index, pg_get_serial_sequence('shop.orders_then', 'id') AS sequence FROM pg_index WHERE indrelid = 'shop.orders_then'::regclass",
    );
    expect(names).toEqual([
      {
        index: 'CREATE UNIQUE INDEX orders_then_pkey ON shop.orders_then USING btree (id)',
        sequence: 'shop.orders_then_id_seq',
      },
    ]);
  });

  test('can be replaced, also when others point to it, and its sequence does not go back', async () => {
    await now.query(`
      INSERT INTO shop.orders (customer, note) SELECT 1, 'new' FROM generate_series(1, 20);
      UPDATE shop.orders SET note = 'spoilt' WHERE id % 2 = 0;
      CREATE FUNCTION shop.spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.note := 'by a trigger'; RETURN NEW; END $$;
      CREATE TRIGGER spoil BEFORE INSERT ON shop.orders FOR EACH ROW EXECUTE FUNCTION shop.spoil()`);
    const { tables } = await bringTables(then, now, { tables: ['shop.orders'], replace: true });
    expect(tables).toMatchObject([{ action: 'replace', rows: 1000, counted: 1000 }]);
    expect(await contentOf(now, 'shop.orders')).toBe(await contentOf(then, 'shop.orders'));
    const [key] = await now.query(
      "SELECT convalidated, obj_description(oid, 'pg_constraint') AS comment FROM pg_constraint WHERE conname = 'of_order'",
    );
    expect(key).toEqual({ convalidated: true, comment: 'belongs to' });
    const inserted = await now.query('INSERT INTO shop.orders (customer) VALUES (1) RETURNING id, note');
    expect(inserted).toEqual([{ id: 1021, note: 'by a trigger' }]);
  });

  test('is not replaced when rows of others would point to nothing', async () => {
    await now.query(
      "INSERT INTO shop.orders VALUES (2000, 1, 'new'); INSERT INTO shop.items VALUES (2000, 2000)",
    );
    const before = await everything();
    const { code, text } = await refusal(bringTables(then, now, { tables: ['shop.orders'], replace: true }));
    expect(code).toBe('target.mismatch');
    expect(text).toContain('of_order');
    expect(text).toContain('Nothing was changed');
    expect(await everything()).toEqual(before);
  });

  test('gets only the rows that are gone', async () => {
    await now.query(`
      DELETE FROM shop.items; DELETE FROM shop.orders WHERE id BETWEEN 100 AND 199;
      UPDATE shop.orders SET note = 'changed since' WHERE id = 7;
      INSERT INTO shop.orders VALUES (5000, 1, 'new')`);
    const { tables } = await bringTables(then, now, {
      tables: ['shop.orders', 'shop.items'],
      onlyMissing: true,
    });
    expect(tables).toMatchObject([
      { action: 'add', rows: 1000, inserted: 100, counted: 1001 },
      { action: 'add', rows: 500, inserted: 500, counted: 500 },
    ]);
    const rows = await now.query('SELECT id, note FROM shop.orders WHERE id IN (7, 150, 5000) ORDER BY id');
    expect(rows).toEqual([
      { id: 7, note: 'changed since' },
      { id: 150, note: 'order 150' },
      { id: 5000, note: 'new' },
    ]);
  });

  test('without a key cannot be asked which rows are missing', async () => {
    await then.query('CREATE TABLE other AS SELECT 1 AS n');
    await now.query('CREATE TABLE other AS SELECT 1 AS n');
    const { code, text } = await refusal(bringTables(then, now, { tables: ['other'], onlyMissing: true }));
    expect(code).toBe('target.mismatch');
    expect(text).toContain('primary key');
  });

  test('may have changed its columns since, as long as the rows fit', async () => {
    await now.query(`
      ALTER TABLE shop.orders DROP COLUMN customer, ADD COLUMN came timestamptz DEFAULT '2026-01-01', ALTER id TYPE bigint`);
    const { plan } = await bringTables(then, now, { tables: ['shop.orders'], replace: true });
    expect(plan.findings.map(({ code }) => code)).toEqual([
      'table.column-gone',
      'table.column-new',
      'table.column-type',
    ]);
    const [first] = await now.query(
      "SELECT note, came = '2026-01-01' AS usual FROM shop.orders WHERE id = 1",
    );
    expect(first).toEqual({ note: 'order 1', usual: true });

    await now.query(
      'DELETE FROM shop.items; DELETE FROM shop.orders; ALTER TABLE shop.orders ADD COLUMN must int NOT NULL',
    );
    const { code, text } = await refusal(bringTables(then, now, { tables: ['shop.orders'], replace: true }));
    expect(code).toBe('target.mismatch');
    expect(text).toContain('must (integer)');
  });
});

test('all tables of a schema come back with the keys between them, also into another schema', async () => {
  await now.query('DROP SCHEMA shop CASCADE');
  const { tables, findings } = await bringTables(then, now, { schemas: ['shop'] });
  expect(tables.map(({ rows, counted }) => [rows, counted])).toEqual([
    [50, 50],
    [500, 500],
    [1000, 1000],
  ]);
  expect(findings).toEqual([]);
  const copied = await bringTables(then, now, { schemas: ['shop'], into: 'earlier' });
  expect(copied.findings.map(({ code }) => code)).toEqual(['table.beside']);
  for (const schema of ['shop', 'earlier']) {
    for (const table of ['customers', 'orders', 'items']) {
      expect(await contentOf(now, `${schema}.${table}`)).toBe(await contentOf(then, `shop.${table}`));
    }
  }
  const keys = await now.query<{ key: string }>(
    "SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) AS key FROM pg_constraint WHERE contype = 'f' ORDER BY 1",
  );
  expect(keys.map(({ key }) => key)).toEqual([
    'earlier.items FOREIGN KEY ("order") REFERENCES earlier.orders(id)',
    'earlier.orders FOREIGN KEY (customer) REFERENCES earlier.customers(id)',
    'shop.items FOREIGN KEY ("order") REFERENCES shop.orders(id)',
    'shop.orders FOREIGN KEY (customer) REFERENCES shop.customers(id)',
  ]);
});

test('a table that was renamed out of the way keeps its names, and its rows', async () => {
  await now.query('ALTER TABLE shop.orders RENAME TO orders_spoilt');
  await bringTables(then, now, { tables: ['shop.orders'] });
  expect(
    await now.query("SELECT indexname FROM pg_indexes WHERE tablename LIKE 'orders%' ORDER BY 1"),
  ).toEqual([{ indexname: 'orders_pkey' }, { indexname: 'orders_pkey_1' }]);
  expect(await now.query("INSERT INTO shop.orders (note) VALUES ('') RETURNING id")).toEqual([{ id: 1001 }]);
  expect(await contentOf(now, 'shop.orders_spoilt')).toBe(await contentOf(then, 'shop.orders'));
});

test('an unlogged table, whose rows no backup has, is made empty and never emptied', async () => {
  await then.query('CREATE UNLOGGED TABLE shop.cache (id int PRIMARY KEY)');
  const { findings } = await bringTables(then, now, { tables: ['shop.cache'] });
  expect(findings.map(({ code }) => code)).toEqual(['table.unlogged']);
  const { code } = await refusal(bringTables(then, now, { tables: ['shop.cache'], replace: true }));
  expect(code).toBe('target.mismatch');
});

test('a type that is gone is made again, and one that has lost a label is not forced', async () => {
  await then.query(`
    CREATE TYPE shop.mood AS ENUM ('good', 'bad'); CREATE DOMAIN shop.share AS int DEFAULT 5 CHECK (VALUE < 100);
    CREATE TABLE shop.moods (mood shop.mood, share shop.share); INSERT INTO shop.moods VALUES ('bad', 99)`);
  await bringTables(then, now, { tables: ['shop.moods'] });
  expect(await now.query('SELECT mood::text, share FROM shop.moods')).toEqual([{ mood: 'bad', share: 99 }]);
  await expect(now.query("INSERT INTO shop.moods VALUES ('good', 100)")).rejects.toThrow('share_check');
  await now.query("DROP TABLE shop.moods; DROP TYPE shop.mood; CREATE TYPE shop.mood AS ENUM ('good')");
  const { code, text } = await refusal(bringTables(then, now, { tables: ['shop.moods'] }));
  expect(code).toBe('target.mismatch');
  expect(text).toContain(`ALTER TYPE "shop"."mood" ADD VALUE 'bad';`);
});

test('who gives up in the middle leaves nothing of it', async () => {
  await then.query("INSERT INTO shop.orders (note) SELECT repeat('x', 1000) FROM generate_series(1, 20000)");
  await now.query('DROP TABLE shop.orders CASCADE');
  const before = await now.query('SELECT oid, relname FROM pg_class ORDER BY oid');
  const giving = new AbortController();
  const reason = new Error('enough');
  const work = bringTables(then, now, {
    tables: ['shop.orders'],
    signal: giving.signal,
    onBytes: () => giving.abort(reason),
  });
  await expect(work).rejects.toBe(reason);
  await expect
    .poll(() => now.query("SELECT FROM pg_stat_activity WHERE application_name = 'holdfast'"))
    .toEqual([]);
  expect(await now.query('SELECT oid, relname FROM pg_class ORDER BY oid')).toEqual(before);
});

test('a key whose rows are gone holds for new rows, and that is said', async () => {
  await now.query('DROP TABLE shop.orders CASCADE; DELETE FROM shop.customers WHERE id = 3');
  const { findings } = await bringTables(then, now, { tables: ['orders'] });
  expect(findings.map(({ code, subject }) => [code, subject])).toEqual([
    ['table.not-validated', 'foreign key orders_customer_fkey of shop.orders'],
  ]);
  expect(findings[0]?.hint).toContain(
    'ALTER TABLE "shop"."orders" VALIDATE CONSTRAINT "orders_customer_fkey";',
  );
  await expect(now.query("INSERT INTO shop.orders VALUES (9999, 3, '')")).rejects.toThrow(
    'orders_customer_fkey',
  );
});

test('a partitioned table comes back with its partitions, and into partitions that are others now', async () => {
  const partitioned = `
    CREATE TABLE shop.events (id bigint GENERATED BY DEFAULT AS IDENTITY, at date NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
    CREATE TABLE shop.events_2025 PARTITION OF shop.events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
    CREATE TABLE shop.events_2026 PARTITION OF shop.events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01') PARTITION BY LIST (at);
    CREATE TABLE shop.events_rest PARTITION OF shop.events_2026 DEFAULT;
    CREATE INDEX by_at ON shop.events (at);
    CREATE INDEX of_2025 ON shop.events_2025 (id) WHERE id > 5;
    INSERT INTO shop.events (at) SELECT '2025-06-01'::date + n FROM generate_series(1, 500) AS n;`;
  const described = async () => [
    ...(await now.query(
      "SELECT relid::regclass::text, isleaf FROM pg_partition_tree('shop.events') ORDER BY 1",
    )),
    ...(await now.query("SELECT indexdef FROM pg_indexes WHERE tablename LIKE 'events%' ORDER BY 1")),
    ...(await now.query(
      'SELECT inhrelid::regclass::text, inhparent::regclass::text FROM pg_inherits ORDER BY 1',
    )),
  ];
  await then.query(partitioned);
  await now.query(partitioned);
  const before = await described();
  await now.query('DROP TABLE shop.events');
  const { tables } = await bringTables(then, now, { tables: ['shop.events'] });
  expect(tables).toMatchObject([{ rows: 500, counted: 500 }]);
  expect(await described()).toEqual(before);
  expect(await now.query('INSERT INTO shop.events (at) VALUES (now()) RETURNING id')).toEqual([
    { id: '501' },
  ]);

  await now.query(`
    DROP TABLE shop.events_2026;
    CREATE TABLE shop.later PARTITION OF shop.events FOR VALUES FROM ('2026-01-01') TO ('2030-01-01')`);
  await bringTables(then, now, { tables: ['shop.events'], replace: true });
  expect(await contentOf(now, 'shop.events')).toBe(await contentOf(then, 'shop.events'));
});

test('children of a table come back as its children', async () => {
  const family = `
    CREATE TABLE shop.base (id int CHECK (id > 0), note text DEFAULT 'of base');
    CREATE TABLE shop.child (more int, note text DEFAULT 'of child') INHERITS (shop.base);
    INSERT INTO shop.base VALUES (1, 'one'); INSERT INTO shop.child VALUES (2, 'two', 3)`;
  await then.query(family);
  await bringTables(then, now, { tables: ['shop.base'] });
  expect(
    await now.query('SELECT tableoid::regclass::text AS in, id, note FROM shop.base ORDER BY id'),
  ).toEqual([
    { in: 'shop.base', id: 1, note: 'one' },
    { in: 'shop.child', id: 2, note: 'two' },
  ]);
  expect(await now.query('INSERT INTO shop.child (id) VALUES (3) RETURNING note')).toEqual([
    { note: 'of child' },
  ]);
});

test('a connection that is lost in the middle leaves nothing of it', async () => {
  await then.query("INSERT INTO shop.orders (note) SELECT repeat('x', 1000) FROM generate_series(1, 50000)");
  await now.query('DROP TABLE shop.orders CASCADE');
  const before = await now.query('SELECT oid, relname FROM pg_class ORDER BY oid');
  let killed: Promise<unknown> | undefined;
  const onBytes = () => {
    killed ??= now.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'COPY %'");
  };
  const { code } = await refusal(bringTables(then, now, { tables: ['shop.orders'], onBytes }));
  expect(code).toBe('source.unreachable');
  await killed;
  expect(await now.query('SELECT oid, relname FROM pg_class ORDER BY oid')).toEqual(before);
});

test('a target that is slower makes the server of then wait', async () => {
  await then.query(`
    CREATE TABLE other AS SELECT n AS id, repeat(md5(n::text), 300) AS note FROM generate_series(1, 10000) AS n;`);
  await now.query(`
    CREATE FUNCTION shop.wait() RETURNS int LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock(1); RETURN 1; END $$;
    CREATE TABLE other (id int, note text, waited int DEFAULT shop.wait())`);
  await using gate = new AsyncDisposableStack();
  const { client } = await logIn(serverAddress(parseServerUrl(now.url)), 'sql');
  gate.defer(() => client.end());
  await client.query('SELECT pg_advisory_lock(1)');
  let bytes = 0;
  const work = bringTables(then, now, {
    tables: ['other'],
    replace: true,
    onBytes: (more) => (bytes += more),
  });
  let before = -1;
  const stands = () => {
    const same = bytes > 0 && bytes === before;
    before = bytes;
    return same;
  };
  await expect.poll(stands, { interval: 200, timeout: 20_000 }).toBe(true);
  // What the two sockets' buffers take, of about 100 MB.
  expect(bytes).toBeLessThan(20e6);
  await client.query('SELECT pg_advisory_unlock(1)');
  expect((await work).tables).toMatchObject([{ counted: 10_000 }]);
});

test('whoever may not is told what to grant', async () => {
  await now.query(`
    DROP TABLE shop.orders CASCADE; DROP ROLE IF EXISTS "little one"; CREATE ROLE "little one" LOGIN`);
  const url = now.url.replace('postgres@', 'little%20one@');
  const asked = { tables: ['shop.orders'], url };
  const { code, text } = await refusal(bringTables(then, now, asked));
  expect(code).toBe('target.privilege');
  expect(text).toContain('GRANT CREATE ON SCHEMA "shop" TO "little one";');
  await now.query('GRANT CREATE, USAGE ON SCHEMA shop TO "little one"');
  const { findings } = await bringTables(then, now, asked);
  expect(findings.map(({ subject }) => subject)).toEqual([
    'foreign key orders_customer_fkey of shop.orders',
    'foreign key of_order of shop.items',
    'comment on foreign key of_order',
    'owner postgres of shop.orders',
  ]);
  expect(await contentOf(now, 'shop.orders')).toBe(await contentOf(then, 'shop.orders'));
  await now.query('DROP OWNED BY "little one"; DROP ROLE "little one"');
});

test('what was no table, or was not there, is said so', async () => {
  await then.query(
    'CREATE VIEW shop.overview AS SELECT 1; CREATE TABLE "Shop" (); CREATE TABLE shop."Shop" ()',
  );
  expect((await refusal(bringTables(then, now, { tables: ['shop.overview'] }))).text).toContain(
    'a view, not a table',
  );
  expect((await refusal(bringTables(then, now, { tables: ['shop.nothing'] }))).text).toContain('shop (4)');
  expect((await refusal(bringTables(then, now, { tables: ['Shop'] }))).text).toContain(
    'public.Shop, shop.Shop',
  );
  await then.query('DROP TABLE "Shop"');
});
