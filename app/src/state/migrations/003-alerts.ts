/** What was told to whom, and what is still to be told. */
export const alertTables = `
CREATE TABLE holdfast.incident (
  key text PRIMARY KEY,
  since bigint NOT NULL,
  -- As alert/ remembers it: its shape is decided there.
  incident jsonb NOT NULL
);

CREATE TABLE holdfast.delivery (
  id uuid PRIMARY KEY,
  -- The order in which they were added.
  number bigint GENERATED ALWAYS AS IDENTITY,
  channel text NOT NULL,
  kind text NOT NULL,
  incidents text[] NOT NULL,
  message jsonb NOT NULL,
  added_at bigint NOT NULL,
  attempts int NOT NULL,
  next_try bigint NOT NULL,
  state text NOT NULL CHECK (state IN ('waiting', 'delivered', 'given up')),
  last_error jsonb
);
CREATE INDEX delivery_due ON holdfast.delivery (channel, next_try) WHERE state = 'waiting';
`;
