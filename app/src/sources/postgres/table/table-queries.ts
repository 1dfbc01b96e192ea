/**
 * What the catalog (the manual's "System Catalogs") has of tables, a query a list. Each takes the oids of the tables as $1
 * and names the table of each row in `of`. Columns of the catalog that not every version has are read through to_jsonb.
 */

export const TABLES = `
  SELECT c.oid AS "of", c.oid, n.nspname AS schema, c.relname AS name, c.relkind = 'p' AS partitioned,
    c.relpersistence = 'u' AS unlogged, pg_get_userbyid(c.relowner) AS owner,
    obj_description(c.oid, 'pg_class') AS comment,
    coalesce(to_json(c.reloptions || (SELECT array_agg('toast.' || o) FROM pg_class t, unnest(t.reloptions) AS o
                                      WHERE t.oid = c.reltoastrelid)), '[]') AS options,
    (SELECT amname FROM pg_am WHERE pg_am.oid = c.relam AND amname <> 'heap') AS "accessMethod",
    (SELECT spcname FROM pg_tablespace s WHERE s.oid = c.reltablespace) AS tablespace,
    CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END AS "partitionKey",
    CASE WHEN c.relispartition THEN pg_get_expr(c.relpartbound, c.oid) END AS "partitionBound",
    (SELECT coalesce(json_agg(json_build_object('schema', pn.nspname, 'name', p.relname) ORDER BY i.inhseqno), '[]')
     FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent JOIN pg_namespace pn ON pn.oid = p.relnamespace
     WHERE i.inhrelid = c.oid) AS parents,
    c.relrowsecurity AS "rowSecurity", c.relforcerowsecurity AS "forcedRowSecurity",
    c.relreplident AS "replicaIdentity", c.reloftype <> 0 AS typed,
    EXISTS (SELECT FROM pg_seclabel l WHERE l.classoid = 'pg_class'::regclass AND l.objoid = c.oid) AS labelled
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.oid = ANY ($1) ORDER BY array_position($1, c.oid)`;

/** Enums are sent as their labels and built-in types have the same oids everywhere; reg* types are oids of one database. */
export const COLUMNS = `
  SELECT a.attrelid AS "of", a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
    t.typtype = 'e' OR (t.oid < 16384 AND t.typtype IN ('b', 'r', 'm') AND t.typsend <> 0 AND t.typname !~ '^_?reg'
      AND NOT EXISTS (SELECT FROM pg_type e WHERE e.oid = t.typelem AND e.typsend = 0)) AS portable,
    a.attnotnull AS "notNull",
    CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END AS "default",
    CASE WHEN a.attgenerated <> '' THEN json_build_object(
      'expression', pg_get_expr(d.adbin, d.adrelid), 'stored', a.attgenerated = 's') END AS generated,
    CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END AS identity,
    (SELECT format('%I.%I', n.nspname, l.collname) FROM pg_collation l JOIN pg_namespace n ON n.oid = l.collnamespace
     WHERE l.oid = a.attcollation AND a.attcollation <> t.typcollation) AS collation,
    CASE WHEN a.attstorage <> t.typstorage THEN
      CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' WHEN 'x' THEN 'EXTENDED' END
    END AS storage,
    CASE to_jsonb(a) ->> 'attcompression' WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END AS compression,
    nullif((to_jsonb(a) ->> 'attstattarget')::int, -1) AS "statisticsTarget",
    coalesce(to_json(a.attoptions), '[]') AS options, col_description(a.attrelid, a.attnum) AS comment,
    a.attislocal AS local
  FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE a.attrelid = ANY ($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attrelid, a.attnum`;

export const CONSTRAINTS = `
  SELECT k.conrelid AS "of", k.conname AS name, k.contype AS kind, pg_get_constraintdef(k.oid) AS definition,
    k.conislocal AS local, k.conparentid <> 0 AS "ofParent", k.convalidated AS validated,
    k.condeferrable AS deferrable, k.connoinherit AS "noInherit",
    obj_description(k.oid, 'pg_constraint') AS comment,
    (SELECT coalesce(json_agg(a.attname ORDER BY key.at), '[]')
     FROM unnest(k.conkey) WITH ORDINALITY AS key (attnum, at)
     JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = key.attnum) AS columns,
    CASE WHEN k.contype = 'f' THEN json_build_object(
      'schema', n.nspname, 'name', f.relname, 'text', format('%I.%I', n.nspname, f.relname)) END AS "references"
  FROM pg_constraint k LEFT JOIN pg_class f ON f.oid = k.confrelid LEFT JOIN pg_namespace n ON n.oid = f.relnamespace
  WHERE k.conrelid = ANY ($1) AND k.contype IN ('p', 'u', 'c', 'f', 'x', 'n')
  ORDER BY k.conrelid, position(k.contype IN 'pucxfn'), k.conname`;

export const INDEXES = `
  SELECT i.indrelid AS "of", x.relname AS name, i.indisunique AS "unique", x.relkind = 'I' AS partitioned,
    substr(pg_get_indexdef(x.oid), length(format('CREATE %sINDEX %I ON %s%I.%I USING ',
      CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END, x.relname,
      CASE WHEN x.relkind = 'I' THEN 'ONLY ' ELSE '' END, n.nspname, c.relname)) + 1) AS body,
    (SELECT k.conname FROM pg_constraint k
     WHERE k.conindid = x.oid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x')) AS "constraint",
    coalesce(to_json(x.reloptions), '[]') AS options, i.indisvalid AS valid, i.indisclustered AS clustered,
    i.indisreplident AS "replicaIdentity", (SELECT spcname FROM pg_tablespace s WHERE s.oid = x.reltablespace) AS tablespace,
    obj_description(x.oid, 'pg_class') AS comment
  FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_class c ON c.oid = i.indrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE i.indrelid = ANY ($1) ORDER BY i.indrelid, x.relname`;

/** A sequence depends on the column that owns it; a default depends on the sequence that it asks. */
export const SEQUENCES = `
  SELECT used."of", n.nspname AS schema, c.relname AS name, a.attname AS "column", bool_or(used.owned) AS owned,
    bool_or(used.identity) AS identity, format_type(s.seqtypid, NULL) AS type, s.seqstart::text AS start,
    s.seqincrement::text AS increment, s.seqmin::text AS minimum, s.seqmax::text AS maximum, s.seqcache::text AS cache,
    s.seqcycle AS cycle,
    (SELECT coalesce(json_agg(json_build_object(
       'role', CASE WHEN g.grantee <> 0 THEN pg_get_userbyid(g.grantee) END, 'privilege', g.privilege_type,
       'grantable', g.is_grantable, 'column', NULL)), '[]')
     FROM pg_class q, aclexplode(q.relacl) AS g WHERE q.oid = c.oid AND g.grantee <> q.relowner) AS grants,
    format('nextval(%L::regclass)', format('%I.%I', n.nspname, c.relname)) AS "nextValue"
  FROM (SELECT d.refobjid AS "of", d.refobjsubid AS attnum, d.objid AS sequence, true AS owned, d.deptype = 'i' AS identity
        FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
          AND d.deptype IN ('a', 'i')
        UNION ALL
        SELECT v.adrelid, v.adnum, d.refobjid, false, false
        FROM pg_attrdef v JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = v.oid
          AND d.refclassid = 'pg_class'::regclass) AS used
    JOIN pg_class c ON c.oid = used.sequence AND c.relkind = 'S' JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_sequence s ON s.seqrelid = c.oid
    JOIN pg_attribute a ON a.attrelid = used."of" AND a.attnum = used.attnum
  WHERE used."of" = ANY ($1)
  GROUP BY 1, 2, 3, 4, c.oid, s.seqtypid, s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle ORDER BY 1, 2, 3`;

/** A trigger of a partition that follows from its parent's comes with the parent's. */
export const TRIGGERS = `
  SELECT t.tgrelid AS "of", t.tgname AS name, pg_get_triggerdef(t.oid) AS definition, t.tgenabled AS enabled,
    obj_description(t.oid, 'pg_trigger') AS comment
  FROM pg_trigger t
  WHERE t.tgrelid = ANY ($1) AND NOT t.tgisinternal AND coalesce(to_jsonb(t) ->> 'tgparentid', '0') = '0'
  ORDER BY t.tgrelid, t.tgname`;

export const RULES = `
  SELECT r.ev_class AS "of", r.rulename AS name, pg_get_ruledef(r.oid) AS definition
  FROM pg_rewrite r WHERE r.ev_class = ANY ($1) ORDER BY r.ev_class, r.rulename`;

export const STATISTICS = `
  SELECT s.stxrelid AS "of", s.stxname AS name, pg_get_statisticsobjdef(s.oid) AS definition
  FROM pg_statistic_ext s WHERE s.stxrelid = ANY ($1) ORDER BY s.stxrelid, s.stxname`;

export const POLICIES = `
  SELECT p.polrelid AS "of", p.polname AS name, p.polpermissive AS permissive,
    CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL'
    END AS command,
    (SELECT coalesce(json_agg(pg_get_userbyid(role)), '[]') FROM unnest(p.polroles) AS role WHERE role <> 0) AS roles,
    pg_get_expr(p.polqual, p.polrelid) AS "using", pg_get_expr(p.polwithcheck, p.polrelid) AS "check"
  FROM pg_policy p WHERE p.polrelid = ANY ($1) ORDER BY p.polrelid, p.polname`;

/** What the owner may do follows from owning. */
export const GRANTS = `
  SELECT c.oid AS "of", CASE WHEN g.grantee <> 0 THEN pg_get_userbyid(g.grantee) END AS role, g.privilege_type AS privilege,
    g.is_grantable AS grantable, NULL::name AS "column"
  FROM pg_class c, aclexplode(c.relacl) AS g WHERE c.oid = ANY ($1) AND g.grantee <> c.relowner
  UNION ALL
  SELECT c.oid, CASE WHEN g.grantee <> 0 THEN pg_get_userbyid(g.grantee) END, g.privilege_type, g.is_grantable, a.attname
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid, aclexplode(a.attacl) AS g
  WHERE c.oid = ANY ($1) AND NOT a.attisdropped AND g.grantee <> c.relowner ORDER BY 1, 2, 5, 3`;

/** A view depends on a table through its rule. */
export const VIEWS = `
  SELECT DISTINCT d.refobjid AS "of", n.nspname AS schema, v.relname AS name
  FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid JOIN pg_class v ON v.oid = r.ev_class
    JOIN pg_namespace n ON n.oid = v.relnamespace
  WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = ANY ($1)
    AND v.relkind IN ('v', 'm') ORDER BY 1, 2, 3`;

export const PUBLICATIONS = `
  SELECT r.prrelid AS "of", p.pubname AS name FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
  WHERE r.prrelid = ANY ($1) ORDER BY 1, 2`;

/** Foreign keys of tables outside of the selection that point into it; those of partitions come with their parent's. */
export const INCOMING_KEYS = `
  SELECT json_build_object('schema', n.nspname, 'name', c.relname) AS "from",
    json_build_object('schema', fn.nspname, 'name', f.relname) AS "to",
    k.conname AS name, pg_get_constraintdef(k.oid) AS definition, k.convalidated AS validated,
    obj_description(k.oid, 'pg_constraint') AS comment
  FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_class f ON f.oid = k.confrelid JOIN pg_namespace fn ON fn.oid = f.relnamespace
  WHERE k.contype = 'f' AND k.conparentid = 0 AND k.confrelid = ANY ($1) AND NOT k.conrelid = ANY ($1)
  ORDER BY 1::text, k.conname`;
