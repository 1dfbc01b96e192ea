/** A table with about everything that PostgreSQL lets a table have, with what it needs around it. */
export const ODDITIES = `
  CREATE ROLE "Reporting Team"; CREATE ROLE clerk; CREATE ROLE owner_of_orders;
  CREATE SCHEMA "Shop.1"; GRANT CREATE, USAGE ON SCHEMA "Shop.1" TO owner_of_orders;
  CREATE TYPE "Shop.1"."Mood" AS ENUM ('so, so', 'o''kay', '好');
  CREATE DOMAIN "Shop.1".percentage AS numeric(5, 2) DEFAULT 10 CHECK (VALUE BETWEEN 0 AND 100);
  CREATE TYPE "Shop.1".place AS (street text, "No." int);
  CREATE SEQUENCE "Shop.1".shared INCREMENT 5 START 100;
  CREATE TABLE "Shop.1".customers (id int PRIMARY KEY, name text NOT NULL);
  INSERT INTO "Shop.1".customers SELECT n, 'customer ' || n FROM generate_series(1, 100) AS n;
  CREATE FUNCTION "Shop.1".touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.touched := NEW.touched + 1; RETURN NEW; END $$;
  CREATE TABLE "Shop.1"."Orders; DROP" (
    id bigint GENERATED ALWAYS AS IDENTITY (START WITH 10 INCREMENT BY 3) PRIMARY KEY,
    "Nr." serial NOT NULL,
    shared int DEFAULT nextval('"Shop.1".shared'),
    customer int NOT NULL CONSTRAINT "of customer" REFERENCES "Shop.1".customers ON DELETE CASCADE,
    parent bigint REFERENCES "Shop.1"."Orders; DROP" DEFERRABLE INITIALLY DEFERRED,
    mood "Shop.1"."Mood" DEFAULT '好',
    moods "Shop.1"."Mood"[],
    discount "Shop.1".percentage,
    address "Shop.1".place,
    amount numeric(10, 2) NOT NULL DEFAULT 9.99 CHECK (amount > 0),
    taxed numeric GENERATED ALWAYS AS (amount * 1.2) STORED,
    note text COLLATE "C" DEFAULT E'it''s\\\\n"here"',
    "when" timestamptz NOT NULL DEFAULT now(), during tstzrange, place point, tags jsonb, raw bytea, ip inet,
    span interval, price money, ratio float8, flags bit varying(8), of regclass, "Größe" text, touched int DEFAULT 0,
    gone int,
    CONSTRAINT "one at a time" UNIQUE ("Nr.", customer),
    CONSTRAINT "no overlap" EXCLUDE USING gist (during WITH &&)
  ) WITH (fillfactor = 80, toast.autovacuum_enabled = false);
  ALTER TABLE "Shop.1"."Orders; DROP" DROP COLUMN gone;
  ALTER TABLE "Shop.1"."Orders; DROP" ALTER note SET STORAGE EXTERNAL, ALTER note SET STATISTICS 500;
  CREATE INDEX "by when" ON "Shop.1"."Orders; DROP" ("when" DESC, lower(note)) INCLUDE (amount) WHERE amount > 5;
  CREATE UNIQUE INDEX by_md5 ON "Shop.1"."Orders; DROP" (md5(id::text)) WITH (fillfactor = 70);
  CREATE INDEX by_tags ON "Shop.1"."Orders; DROP" USING gin (tags jsonb_path_ops);
  CREATE STATISTICS "Shop.1".together (dependencies) ON customer, amount FROM "Shop.1"."Orders; DROP";
  ALTER TABLE "Shop.1"."Orders; DROP" CLUSTER ON by_md5;
  ALTER TABLE "Shop.1"."Orders; DROP" REPLICA IDENTITY FULL;
  COMMENT ON TABLE "Shop.1"."Orders; DROP" IS 'it''s "the" table';
  COMMENT ON COLUMN "Shop.1"."Orders; DROP"."Größe" IS 'größer; DROP TABLE x';
  COMMENT ON CONSTRAINT "no overlap" ON "Shop.1"."Orders; DROP" IS 'one at a time';
  COMMENT ON INDEX "Shop.1"."by when" IS 'newest first';
  CREATE TRIGGER touch BEFORE INSERT ON "Shop.1"."Orders; DROP" FOR EACH ROW EXECUTE FUNCTION "Shop.1".touch();
  CREATE TRIGGER "always" BEFORE INSERT ON "Shop.1"."Orders; DROP" FOR EACH ROW EXECUTE FUNCTION "Shop.1".touch();
  ALTER TABLE "Shop.1"."Orders; DROP" ENABLE ALWAYS TRIGGER "always";
  ALTER TABLE "Shop.1"."Orders; DROP" ENABLE ROW LEVEL SECURITY;
  CREATE POLICY "own ones" ON "Shop.1"."Orders; DROP" AS RESTRICTIVE FOR SELECT TO clerk USING (customer < 50);
  GRANT SELECT ON "Shop.1"."Orders; DROP" TO "Reporting Team" WITH GRANT OPTION;
  GRANT UPDATE (note, "Größe") ON "Shop.1"."Orders; DROP" TO clerk;
  GRANT USAGE ON SEQUENCE "Shop.1"."Orders; DROP_Nr._seq" TO clerk;
  CREATE TABLE "Shop.1".items (id int PRIMARY KEY, "order" bigint CONSTRAINT "of order" REFERENCES "Shop.1"."Orders; DROP");
  CREATE VIEW "Shop.1".overview AS SELECT customer, count(*) FROM "Shop.1"."Orders; DROP" GROUP BY customer;
  ALTER TABLE "Shop.1"."Orders; DROP" OWNER TO owner_of_orders;
  INSERT INTO "Shop.1"."Orders; DROP" (customer, parent, moods, address, amount, note, during, place, tags, raw, ip, span, price,
      ratio, flags, of, "Größe", "when")
    SELECT 1 + n % 100, CASE WHEN n > 1 THEN 10 END, ARRAY['好', NULL, 'so, so']::"Shop.1"."Mood"[], ROW('Straße ' || n, n)::"Shop.1".place,
      1 + n, E'line\\n\\ttab\\\\N ' || n, tstzrange('2026-01-01'::timestamptz + n * interval '1 hour',
      '2026-01-01'::timestamptz + (n + 1) * interval '1 hour'), point(n, 1e-10 / n), jsonb_build_object('n', n, 'ü', '"\\u00e9"'),
      decode(md5(n::text), 'hex'), ('10.0.' || n % 256 || '.1')::inet, n * interval '1 day 2 hours', n::money, 1.0::float8 / n, B'101',
      'pg_class'::regclass, CASE n % 3 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE 'größer' END, '2026-01-01'::timestamptz + n * interval '1 microsecond'
    FROM generate_series(1, 2000) AS n;
  INSERT INTO "Shop.1".items SELECT n, 7 + 3 * n FROM generate_series(1, 500) AS n;
`;

export const ORDERS = '"Shop.1"."Orders; DROP"';

/** What psql's \\d would tell of the table, less the numbers that differ from server to server. */
export const DESCRIPTION = `
  SELECT json_build_object(
    'columns', (SELECT json_agg(json_build_array(attname, format_type(atttypid, atttypmod), attnotnull, attidentity, attgenerated,
        pg_get_expr(adbin, adrelid), attstorage, (to_jsonb(a) ->> 'attstattarget'), col_description(attrelid, attnum), attacl) ORDER BY attname)
      FROM pg_attribute a LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
      WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped),
    'constraints', (SELECT json_agg(json_build_array(conname, pg_get_constraintdef(oid), convalidated,
        obj_description(oid, 'pg_constraint')) ORDER BY conname) FROM pg_constraint WHERE conrelid = c.oid),
    'pointing', (SELECT json_agg(conname ORDER BY conname) FROM pg_constraint WHERE confrelid = c.oid AND contype = 'f'),
    'indexes', (SELECT json_agg(json_build_array(pg_get_indexdef(indexrelid), indisclustered, obj_description(indexrelid, 'pg_class'))
        ORDER BY indexrelid::regclass::text) FROM pg_index WHERE indrelid = c.oid),
    'triggers', (SELECT json_agg(json_build_array(pg_get_triggerdef(oid), tgenabled) ORDER BY tgname)
      FROM pg_trigger WHERE tgrelid = c.oid AND NOT tgisinternal),
    'policies', (SELECT json_agg(to_jsonb(p) ORDER BY policyname) FROM pg_policies p
      WHERE p.schemaname = n.nspname AND p.tablename = c.relname),
    'statistics', (SELECT json_agg(pg_get_statisticsobjdef(oid)) FROM pg_statistic_ext WHERE stxrelid = c.oid),
    'sequences', (SELECT json_agg(to_jsonb(s) - 'last_value' ORDER BY sequencename) FROM pg_sequences s WHERE s.schemaname = n.nspname),
    'sequence grants', (SELECT json_agg(q.relacl ORDER BY q.relname) FROM pg_class q WHERE q.relkind = 'S' AND q.relnamespace = c.relnamespace),
    'options', c.reloptions, 'identity', c.relreplident, 'security', c.relrowsecurity, 'grants', c.relacl,
    'owner', pg_get_userbyid(c.relowner), 'comment', obj_description(c.oid, 'pg_class')) AS description
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1::regclass`;
