import type { Session } from '../state/session.ts';

/** By name of a schedule: the last occurrence that was answered, by a run or by leaving it out. */
export async function readMarks(session: Session): Promise<Map<string, number>> {
  const rows = await session.query<{ name: string; handled: number }>(
    'SELECT name, handled FROM holdfast.schedule_mark',
  );
  return new Map(rows.map(({ name, handled }) => [name, handled]));
}

/** A mark only goes forward: of two who answer at once, the later occurrence stands. */
export async function saveMarks(session: Session, marks: ReadonlyMap<string, number>): Promise<void> {
  await session.execute(
    `INSERT INTO holdfast.schedule_mark (name, handled) SELECT * FROM unnest($1::text[], $2::bigint[])
     ON CONFLICT (name) DO UPDATE SET handled = greatest(schedule_mark.handled, excluded.handled)`,
    [[...marks.keys()], [...marks.values()]],
  );
}

/** Of a schedule that is no longer in the policy, or whose clock went back: it begins anew. */
export async function removeMarks(session: Session, names: readonly string[]): Promise<void> {
  await session.execute('DELETE FROM holdfast.schedule_mark WHERE name = ANY ($1)', [names]);
}
