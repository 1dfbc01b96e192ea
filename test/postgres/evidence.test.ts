import { describe, expect, test } from 'vitest';
import { LOAD_SCHEMA, startLoad } from '../scenes/postgres-load.ts';
import { type Major, startPostgres } from '../servers/postgres.ts';
import { EvidenceScene, ofDatabase } from './evidence-scene.ts';

describe.each<Major>([14, 18])('evidence of PostgreSQL %i', (major) => {
  test.each([
    ['logical', 'slot'],
    ['replica', 'log'],
  ])('is exact under load with wal_level = %s, five times of five', async (level, method) => {
    await using server = await startPostgres({ major, settings: { wal_level: level } });
    await server.query(LOAD_SCHEMA);
    await server.query('CREATE DATABASE second');
    await using scene = await EvidenceScene.protect(server);
    const load = await startLoad(server.url);
    const taken = [];
    for (let time = 0; time < 5; time += 1) taken.push(await scene.sample());
    await load.stop();
    await scene.ship();
    for (const evidence of taken) {
      expect(ofDatabase(evidence).method).toBe(method);
      const { content, findings, pages } = await scene.verify(evidence);
      expect(findings).toEqual([]);
      expect(content.find(({ database }) => database === 'postgres')).toMatchObject({
        exact: 3,
        different: 0,
        unknown: 0,
        tolerance: 0,
      });
      expect(content).toHaveLength(3);
      expect(pages?.pages).toBeGreaterThan(1000);
    }
  });
});
