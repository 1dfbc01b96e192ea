import type { Session } from '../state/session.ts';

/** A sign of life of the control plane that leads. */
export async function saveBeat(session: Session, at: number, who: string): Promise<void> {
  await session.execute(
    `INSERT INTO holdfast.beat (at, who) VALUES ($1, $2)
     ON CONFLICT (one) DO UPDATE SET at = excluded.at, who = excluded.who`,
    [at, who],
  );
}

/** Undefined when none has ever led. */
export async function readBeat(session: Session): Promise<number | undefined> {
  const [row] = await session.query<{ at: number }>('SELECT at FROM holdfast.beat');
  return row?.at;
}
