import { expect, test } from 'vitest';
import { killPlanes } from './plane-chaos.ts';

test('whatever is killed with -9, no snapshot is forgotten, no run lost, no hook repeated, nothing left behind', async () => {
  const result = await killPlanes({ rounds: 10, seed: 'ci' });
  expect(result.wrong).toEqual([]);
  expect(result.kills.controlPlane).toBeGreaterThan(3);
  expect(result.kills.database).toBeGreaterThan(1);
  expect(result.hooks).toBeGreaterThan(0);
});
