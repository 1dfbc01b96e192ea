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
  ordinal bigint GENERATED ALWAYS AS IDENTITY,
  channel text NOT NULL,
  message jsonb NOT NULL,
  added_at bigint NOT NULL,
  attempts int NOT NULL DEFAULT 0,
  next_try bigint NOT NULL,
  state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'given up')),
  ended_at bigint
);
CREATE INDEX delivery_waiting ON holdfast.delivery (channel, ordinal) WHERE state = 'waiting';

-- How it goes with a channel: told by its last try, whatever becomes of the single messages.
CREATE TABLE holdfast.channel (
  name text PRIMARY KEY,
  last_delivered_at bigint,
  failing_since bigint,
  last_error text
);

-- The last sign of life of the control plane that leads.
CREATE TABLE holdfast.beat (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  at bigint NOT NULL,
  who text NOT NULL
);
`;
