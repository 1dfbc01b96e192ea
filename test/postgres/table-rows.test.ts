import { describe, expect, test } from 'vitest';
import { type Major, type RunningPostgres, startPostgres } from '../servers/postgres.ts';
import { DESCRIPTION, ODDITIES, ORDERS } from './table-oddities.ts';
import { bringTables, contentOf } from './table-scene.ts';

async function describeTable(server: RunningPostgres, table: string): Promise<unknown> {
  const [row] = await server.query<{ description: unknown }>(DESCRIPTION, [table]);
  return row?.description;
}

describe.each<[Major, Major]>([
  [14, 14],
  [15, 18],
  [18, 18],
])('from PostgreSQL %i into %i', (then, now) => {
  test('a dropped table comes back with all that it had, row by row', async () => {
    await using source = await startPostgres({ major: then });
    await using target = await startPostgres({ major: now });
    await source.query(ODDITIES);
    await target.query(ODDITIES);
    const before = { content: await contentOf(source, ORDERS), is: await describeTable(target, ORDERS) };
    await target.query(`DROP TABLE ${ORDERS} CASCADE`);

    const { tables, findings } = await bringTables(source, target, { tables: [ORDERS] });
    expect(tables).toMatchObject([{ action: 'create', rows: 2000, inserted: 2000, counted: 2000 }]);
    expect(findings.map(({ code }) => code)).toEqual(['table.view']);
    expect(await contentOf(target, ORDERS)).toBe(before.content);
    expect(await describeTable(target, ORDERS)).toEqual(before.is);
    const [next] = await target.query<{ id: string }>(
      `INSERT INTO ${ORDERS} (customer) VALUES (1) RETURNING id, "Nr.", shared`,
    );
    expect(next).toMatchObject({ id: '6010', 'Nr.': 2001 });
  });
});
