import type { Session } from '../state/session.ts';
import { defined } from './columns.ts';
import type { RunFailure } from './records.ts';

/** A message on its way: kept until its channel took it, or until nobody needs it any more. */
export interface Delivery<Message> {
  readonly id: string;
  /** Name of the channel. */
  readonly channel: string;
  readonly kind: string;
  /** Ids of the incidents that it tells of. */
  readonly incidents: readonly string[];
  readonly message: Message;
  readonly addedAt: number;
  readonly attempts: number;
  readonly nextTry: number;
  readonly state: 'waiting' | 'delivered' | 'given up';
  readonly lastError?: Omit<RunFailure, 'code'>;
}

/** In the transaction that remembers what was told: both, or neither. */
export async function addDelivery<Message>(session: Session, delivery: Delivery<Message>): Promise<void> {
  await session.execute(
    `INSERT INTO holdfast.delivery (id, channel, kind, incidents, message, added_at, attempts, next_try, state)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO NOTHING`,
    [
      delivery.id,
      delivery.channel,
      delivery.kind,
      delivery.incidents,
      JSON.stringify(delivery.message),
      delivery.addedAt,
      delivery.attempts,
      delivery.nextTry,
      delivery.state,
    ],
  );
}

/** Records what came of a try. */
export async function recordTry(
  session: Session,
  delivery: Pick<Delivery<unknown>, 'id' | 'attempts' | 'nextTry' | 'state' | 'lastError'>,
): Promise<void> {
  await session.execute(
    `UPDATE holdfast.delivery SET attempts = $2, next_try = $3, state = $4, last_error = $5 WHERE id = $1`,
    [
      delivery.id,
      delivery.attempts,
      delivery.nextTry,
      delivery.state,
      delivery.lastError === undefined ? null : JSON.stringify(delivery.lastError),
    ],
  );
}

/** All that waits for a channel that has a message whose next try is due, in the order in which it was added. */
export async function readDueDeliveries<Message>(
  session: Session,
  now: number,
): Promise<Delivery<Message>[]> {
  return await read<Message>(
    session,
    `state = 'waiting' AND channel IN
       (SELECT channel FROM holdfast.delivery WHERE state = 'waiting' AND next_try <= $1)`,
    now,
  );
}

/** All since then. */
export async function readDeliveries<Message>(session: Session, since: number): Promise<Delivery<Message>[]> {
  return await read<Message>(session, 'added_at >= $1', since);
}

/** What is over and older. */
export async function pruneDeliveries(session: Session, before: number): Promise<void> {
  await session.execute("DELETE FROM holdfast.delivery WHERE state <> 'waiting' AND added_at < $1", [before]);
}

async function read<Message>(session: Session, where: string, at: number): Promise<Delivery<Message>[]> {
  const rows = await session.query(
    `SELECT id, channel, kind, incidents, message, added_at AS "addedAt", attempts, next_try AS "nextTry", state,
       last_error AS "lastError"
     FROM holdfast.delivery WHERE ${where} ORDER BY number`,
    [at],
  );
  return rows.map((row) => defined<Delivery<Message>>(row));
}
