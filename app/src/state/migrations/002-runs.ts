/** Runs and their steps. What a step is to do is opaque here; pg-boss, in a schema of its own, has a job for each. */
export const runTables = `
CREATE TABLE holdfast.run (
  id uuid PRIMARY KEY,
  kind text NOT NULL,
  about text NOT NULL,
  repositories text[] NOT NULL,
  cause text NOT NULL,
  due_at bigint NOT NULL,
  queued_at bigint NOT NULL,
  not_before bigint NOT NULL,
  priority int NOT NULL,
  started_at bigint,
  ended_at bigint,
  attempt int NOT NULL,
  state text NOT NULL CHECK (state IN ('waiting', 'running', 'succeeded', 'incomplete', 'failed', 'cancelled')),
  cancelling boolean NOT NULL DEFAULT false,
  result jsonb,
  failure jsonb
);
-- Never two of the same at once, whoever asks for the second.
CREATE UNIQUE INDEX run_unfinished ON holdfast.run (kind, about) WHERE state IN ('waiting', 'running');
CREATE INDEX run_history ON holdfast.run (kind, about, queued_at DESC);
CREATE INDEX run_ended ON holdfast.run (ended_at);

CREATE TABLE holdfast.run_step (
  run uuid NOT NULL REFERENCES holdfast.run ON DELETE CASCADE,
  ordinal int NOT NULL,
  name text NOT NULL,
  "order" jsonb NOT NULL,
  runs text NOT NULL CHECK (runs IN ('when all is well', 'after a failure', 'always')),
  once boolean NOT NULL,
  decides boolean NOT NULL,
  state text NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed', 'skipped', 'unknown')),
  attempt int NOT NULL DEFAULT 0,
  incomplete boolean NOT NULL DEFAULT false,
  job uuid,
  holder text,
  started_at bigint,
  ended_at bigint,
  result jsonb,
  failure jsonb,
  PRIMARY KEY (run, ordinal)
);
`;
