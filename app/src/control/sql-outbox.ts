import { randomUUID } from 'node:crypto';
import type { Message } from '../alert/message.ts';
import type { Delivery, Outbox } from '../alert/outbox.ts';
import { defined } from '../catalog/columns.ts';
import type { Database, Session } from '../state/session.ts';
import type { ChannelHealth } from '../status/facts.ts';

/** Messages are kept until their channel took them. */
export function sqlOutbox(database: Database): Outbox {
  return {
    add: (messages, now) => database.transaction((session) => addMessages(session, messages, now)),
    async due(now) {
      const rows = await database.query<Delivery>(
        `SELECT id, message, added_at AS "addedAt", attempts FROM holdfast.delivery
         WHERE state = 'waiting' AND channel IN (
           SELECT DISTINCT ON (channel) CASE WHEN next_try <= $1 THEN channel END FROM holdfast.delivery
           WHERE state = 'waiting' ORDER BY channel, ordinal)
         ORDER BY ordinal`,
        [now],
      );
      return rows;
    },
    delivered: (id, now) =>
      database.transaction(async (session) => {
        const channel = await endDelivery(session, id, 'delivered', now);
        await noteChannel(session, channel, { deliveredAt: now });
      }),
    failed: (id, { message }, now, nextTry) =>
      database.transaction(async (session) => {
        const channel =
          nextTry === undefined
            ? await endDelivery(session, id, 'given up', now)
            : await postpone(session, id, nextTry);
        await noteChannel(session, channel, { failedAt: now, error: message });
      }),
    health: () => readHealth(database),
  };
}

/** In the transaction that remembers what was told: both, or neither. */
export async function addMessages(
  session: Session,
  messages: readonly Message[],
  now: number,
): Promise<void> {
  for (const message of messages) {
    const { channel } = message;
    await session.execute(
      "UPDATE holdfast.delivery SET next_try = least(next_try, $2) WHERE channel = $1 AND state = 'waiting'",
      [channel, now],
    );
    await session.execute(
      'INSERT INTO holdfast.delivery (id, channel, message, added_at, next_try) VALUES ($1, $2, $3, $4, $4)',
      [randomUUID(), channel, JSON.stringify(message), now],
    );
    await session.execute('INSERT INTO holdfast.channel (name) VALUES ($1) ON CONFLICT DO NOTHING', [
      channel,
    ]);
  }
}

/** What is over and older. */
export async function pruneDeliveries(session: Session, before: number): Promise<void> {
  await session.execute("DELETE FROM holdfast.delivery WHERE state <> 'waiting' AND ended_at < $1", [before]);
}

async function endDelivery(
  session: Session,
  id: string,
  state: 'delivered' | 'given up',
  now: number,
): Promise<string | undefined> {
  const [row] = await session.query<{ channel: string }>(
    'UPDATE holdfast.delivery SET state = $2, ended_at = $3, attempts = attempts + 1 WHERE id = $1 RETURNING channel',
    [id, state, now],
  );
  return row?.channel;
}

async function postpone(session: Session, id: string, nextTry: number): Promise<string | undefined> {
  const [row] = await session.query<{ channel: string }>(
    'UPDATE holdfast.delivery SET next_try = $2, attempts = attempts + 1 WHERE id = $1 RETURNING channel',
    [id, nextTry],
  );
  return row?.channel;
}

async function noteChannel(
  session: Session,
  channel: string | undefined,
  { deliveredAt, failedAt, error }: { deliveredAt?: number; failedAt?: number; error?: string },
): Promise<void> {
  if (channel === undefined) return;
  await session.execute(
    `UPDATE holdfast.channel SET last_delivered_at = coalesce($2, last_delivered_at),
       failing_since = CASE WHEN $3::bigint IS NULL THEN NULL ELSE coalesce(failing_since, $3) END,
       last_error = $4
     WHERE name = $1`,
    [channel, deliveredAt ?? null, failedAt ?? null, error ?? null],
  );
}

async function readHealth(session: Session): Promise<ChannelHealth[]> {
  const rows = await session.query(
    `SELECT name AS channel, last_delivered_at AS "lastDeliveredAt", failing_since AS "failingSince",
       last_error AS "lastError",
       (SELECT count(*) FROM holdfast.delivery AS d WHERE d.channel = name AND d.state = 'waiting') AS waiting,
       (SELECT count(*) FROM holdfast.delivery AS d WHERE d.channel = name AND d.state = 'given up') AS "givenUp"
     FROM holdfast.channel ORDER BY name`,
  );
  return rows.map((row) => defined<ChannelHealth>(row));
}
