import { rmSync } from 'node:fs';
import { type RunningPostgres, startPostgres, type Version } from '../servers/postgres.ts';
import { differingSegments, JournalScene, ReceiverProcess, Shop } from './journal-scene.ts';

export interface Kills {
  readonly kills: number;
  /** 0–1, for when to kill. */
  readonly random: () => number;
}

export interface KilledReceiver {
  /** Commits that the server acknowledged to the shop. */
  readonly acknowledged: number;
  /** What did not hold, in sentences. */
  readonly wrong: readonly string[];
}

/**
 * A shop sells without pause while the receiver, whom the server waits for, is killed at random moments and started again.
 * Then the server dies, its disk goes, and a new one is brought up from a base and the spool: it must have every order that
 * was acknowledged, and at most the one that was on its way.
 */
export async function killReceiver(version: Version, { kills, random }: Kills): Promise<KilledReceiver> {
  const keep = { wal_keep_size: '4GB', wal_keep_segments: '256' };
  const kept = majorOf(version) >= 13 ? 'wal_keep_size' : 'wal_keep_segments';
  const settings = { [kept]: keep[kept], max_wal_size: '4GB' };
  await using server = await startPostgres({ major: version, settings });
  await using scene = new JournalScene();
  const wrong: string[] = [];
  await server.stop();
  const base = scene.coldCopy(server);
  await server.start();
  let receiver = new ReceiverProcess(server.url, scene.spool);
  await receiver.streaming();
  await server.query("ALTER SYSTEM SET synchronous_standby_names = 'holdfast'");
  await server.query('SELECT pg_reload_conf()');
  const shop = await Shop.open(server.url, 32_000);
  for (let kill = 0; kill < kills; kill += 1) {
    await shop.sold(shop.acknowledged + 1 + Math.floor(random() * 300));
    await receiver.kill();
    receiver = new ReceiverProcess(server.url, scene.spool);
    await receiver.streaming();
  }
  await shop.sold(shop.acknowledged + 100);
  const differing = differingSegments(scene.spool, server);
  if (differing.length > 0) wrong.push(`segments differ from the server's: ${differing.join(', ')}`);
  // The source dies, then its disk; the receiver in between, at whatever it was doing.
  await server.kill();
  await receiver.kill();
  await shop[Symbol.asyncDispose]();
  const { acknowledged } = shop;
  rmSync(server.dataDirectory, { recursive: true });
  await using restored = await scene.recover(version, base, scene.spool);
  const { count, last } = await ordersOf(restored);
  if (count !== last) wrong.push(`${count} orders came back, the last of them number ${last}`);
  // The last one may have been on its way when the lights went out.
  if (count !== acknowledged && count !== acknowledged + 1) {
    wrong.push(`${count} orders came back where ${acknowledged} had been acknowledged`);
  }
  return { acknowledged, wrong };
}

/** How many orders a server has, and the highest number. */
export async function ordersOf(server: RunningPostgres): Promise<{ count: number; last: number }> {
  const [row] = await server.query<{ count: number; last: number }>(
    'SELECT count(*)::int AS count, coalesce(max(number), 0)::int AS last FROM orders',
  );
  return row ?? { count: 0, last: 0 };
}

function majorOf(version: Version): number {
  return typeof version === 'number' ? version : version.major;
}
