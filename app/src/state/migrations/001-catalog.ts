/**
 * What can be read from the repositories again. Times are milliseconds since the epoch; snapshots' ids are bytes: a
 * million of them are many.
 */
export const catalogTables = `
CREATE TABLE holdfast.point (
  repository text NOT NULL,
  snapshot bytea NOT NULL,
  original bytea NOT NULL,
  source text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('snapshot', 'base', 'slice', 'evidence', 'record')),
  time bigint NOT NULL,
  covers_from bigint,
  covers_to bigint,
  bytes bigint NOT NULL,
  added bigint NOT NULL,
  complete boolean NOT NULL,
  -- When it was first heard of, by this server's clock.
  heard_at bigint NOT NULL DEFAULT (extract(epoch FROM clock_timestamp()) * 1000)::bigint,
  PRIMARY KEY (repository, snapshot)
);
CREATE INDEX point_by_time ON holdfast.point (repository, source, kind, time DESC, snapshot) INCLUDE (complete);
CREATE INDEX point_by_original ON holdfast.point (original);

-- What status asks of a million points, kept with each change: one row for each kind of point of a source at a place.
CREATE TABLE holdfast.point_summary (
  repository text NOT NULL,
  source text NOT NULL,
  kind text NOT NULL,
  count int NOT NULL,
  oldest bigint NOT NULL,
  newest bytea NOT NULL,
  newest_complete bytea,
  PRIMARY KEY (repository, source, kind)
);

CREATE TABLE holdfast.recovery_window (
  repository text NOT NULL,
  source text NOT NULL,
  begins bigint NOT NULL,
  ends bigint NOT NULL,
  PRIMARY KEY (repository, source, begins)
);

CREATE TABLE holdfast.journal (
  source text PRIMARY KEY,
  state text NOT NULL,
  seen_at bigint NOT NULL,
  spool_moment bigint,
  repository_moment bigint,
  since bigint NOT NULL,
  restarts int NOT NULL,
  failure jsonb
);

CREATE TABLE holdfast.repository_size (
  repository text NOT NULL,
  at bigint NOT NULL,
  bytes bigint NOT NULL,
  free bigint,
  PRIMARY KEY (repository, at)
);

CREATE TABLE holdfast.open_finding (
  repository text NOT NULL,
  code text NOT NULL,
  subject text NOT NULL,
  severity text NOT NULL,
  message text NOT NULL,
  hint text,
  source text,
  snapshots text[] NOT NULL,
  found_at bigint NOT NULL,
  seen_at bigint NOT NULL,
  PRIMARY KEY (repository, code, subject)
);

CREATE TABLE holdfast.policy_version (
  hash text PRIMARY KEY,
  text text NOT NULL,
  seen_at bigint NOT NULL
);

CREATE TABLE holdfast.schedule_mark (
  name text PRIMARY KEY,
  handled bigint NOT NULL
);
`;
