import { readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { viewRepository } from '../../app/src/journal/repository-view.ts';
import { rollUp } from '../../app/src/journal/roll-up.ts';
import { listSlices } from '../../app/src/journal/slice-list.ts';
import { readBases } from '../../app/src/sources/postgres/base/stored-bases.ts';
import { parseServerUrl, serverAddress } from '../../app/src/sources/postgres/connection/server-address.ts';
import { readWindows } from '../../app/src/sources/postgres/journal/read-windows.ts';
import { inspectServer } from '../../app/src/sources/postgres/journal/receiver.ts';
import { type ShipperEvent, WalShipper } from '../../app/src/sources/postgres/journal/wal-shipper.ts';
import { rolledUpTags, walPlace } from '../../app/src/sources/postgres/journal/wal-slices.ts';
import { planMoment } from '../../app/src/sources/postgres/restore/plan-moment.ts';
import { restoreMoment } from '../../app/src/sources/postgres/restore/restore-moment.ts';
import { parseLsn } from '../../app/src/sources/postgres/wal/lsn.ts';
import { copySnapshots } from '../../engine/src/archive/copy/copy.ts';
import type { Clock } from '../../engine/src/kernel/clock.ts';
import { systemClock } from '../../engine/src/kernel/clock.ts';
import { sha256Id } from '../../engine/src/kernel/hash.ts';
import { KeptIndex } from '../../engine/src/repository/kept-index.ts';
import type { Repository } from '../../engine/src/repository/repository.ts';
import { BackupScene } from '../scenes/backup-scene.ts';
import { PostgresScene } from '../scenes/postgres-scene.ts';
import { quickClock } from '../scenes/quick-clock.ts';
import { type RunningPostgres, startPostgres } from '../servers/postgres.ts';
import { restic } from '../servers/restic.ts';
import { testWith } from '../servers/test-with.ts';
import { flushLsn, JournalScene, makeWal, Receiver } from './journal-scene.ts';

const MIB = 2 ** 20;
const HOUR = 3_600_000;

async function shipper(
  server: RunningPostgres,
  receiver: Receiver,
  repository: Repository,
  events: ShipperEvent[] = [],
) {
  const facts = await inspectServer(serverAddress(parseServerUrl(server.url)), AbortSignal.timeout(30_000));
  return new WalShipper({
    spool: receiver.spool,
    writer: sliceWriter(repository, facts.systemId),
    segmentSize: facts.segmentSize,
    clock: systemClock,
    random: Math.random,
    interval: 60_000,
    onEvent: (event) => events.push(event),
    signal: new AbortController().signal,
  });
}

function sliceWriter(repository: Repository, systemId: string, clock: Clock = systemClock) {
  const labels = { hostname: 'scene', username: 'somebody', uid: 0, gid: 0, programVersion: 'holdfast test' };
  const signal = new AbortController().signal;
  const index = new KeptIndex(repository);
  return { repository, index, place: walPlace(systemId), clock, labels, retryLock: 0, signal };
}

const withRestic = testWith(restic);

describe('a journal in the repository', () => {
  withRestic(
    'is restored by stock restic, and a server replays it with restore_command = cp',
    async ({ server: program }) => {
      await using server = await startPostgres({ major: 16 });
      await using scene = new JournalScene();
      using repositoryScene = new BackupScene();
      const repository = await repositoryScene.create();
      await server.query('CREATE TABLE orders (number int PRIMARY KEY, note text)');
      const consistentAt = await flushLsn(server);
      await server.stop();
      const base = scene.coldCopy(server);
      await server.start();
      const [row] = await server.query<{ id: string }>(
        'SELECT system_identifier::text AS id FROM pg_control_system()',
      );
      const systemId = row?.id ?? '';
      {
        await using receiver = await Receiver.start(server.url, scene.spool);
        const ship = await shipper(server, receiver, repository);
        for (const last of [100, 200, 300]) {
          await server.query(`INSERT INTO orders SELECT generate_series(${last - 99}, ${last})`);
          await makeWal(server, 18 * MIB);
          await receiver.caughtUp(server);
          await ship.ship();
        }
        await server.query('INSERT INTO orders SELECT generate_series(301, 400)');
        await receiver.caughtUp(server);
        await ship.ship();
        // What is in the repository leaves the spool, but for the segment that says where to go on.
        expect(await receiver.spool.names()).toEqual([expect.stringMatching(/\.partial$/)]);
      }
      const reached = await flushLsn(server);
      await server.kill();

      // Hours later: one slice is left of the four, and nothing was read again.
      const later: Clock = { ...systemClock, now: () => Date.now() + 2 * HOUR };
      const writer = sliceWriter(repository, systemId, later);
      const before = await listSlices(
        await repository.loadIndex(),
        await repository.loadSnapshots(),
        writer.place,
      );
      expect(before).toHaveLength(4);
      const bytes = repositoryScene.repositoryBytes;
      const { saved, forgotten } = await rollUp(writer, rolledUpTags);
      expect(saved).toBeGreaterThanOrEqual(1);
      expect(forgotten).toBe(4);
      expect(repositoryScene.repositoryBytes - bytes).toBeLessThan(64 * 1024);
      expect(await rollUp(writer, rolledUpTags)).toEqual({ saved: 0, forgotten: 0 });

      const { windows, gaps } = await readWindows(await viewRepository(repository), writer.place, 16 * MIB, [
        { id: sha256Id(Buffer.from('cold copy')), end: consistentAt, endedAt: 0 },
      ]);
      expect(gaps).toEqual([]);
      // A partial segment is told by its pages.
      expect(windows[0]?.to.lsn).toBeGreaterThan(reached - 3n * 8192n);

      const target = join(scene.base, 'restored');
      for (const { id } of await repository.loadSnapshots()) {
        await repositoryScene.restic(program, 'restore', id, '--target', target);
      }
      await repositoryScene.restic(program, 'check', '--read-data');
      await using restored = await scene.recover(16, base, join(target, 'postgres', systemId, 'wal'));
      expect(await restored.query('SELECT count(*)::int AS count FROM orders')).toEqual([{ count: 400 }]);
    },
  );

  test('and a base backup bring back any moment, and the last one', async () => {
    await using server = await startPostgres({ major: 17 });
    await using scene = new JournalScene();
    using bases = new PostgresScene();
    const repository = await bases.create();
    await server.query('CREATE TABLE orders (number int PRIMARY KEY)');
    const { snapshot, record } = await bases.backUp(repository, server.url);
    let mistake: bigint;
    {
      await using receiver = await Receiver.start(server.url, scene.spool);
      const ship = await shipper(server, receiver, repository);
      await server.query('INSERT INTO orders SELECT generate_series(1, 100)');
      await receiver.caughtUp(server);
      await ship.ship();
      await makeWal(server, 20 * MIB);
      mistake = await flushLsn(server);
      await server.query('DROP TABLE orders');
      await server.query('CREATE TABLE orders AS SELECT generate_series(1, 7) AS number');
      await receiver.caughtUp(server);
      await ship.ship();
    }
    await server.kill();
    const view = await viewRepository(repository);
    for (const [target, count] of [
      [{ kind: 'lsn', lsn: mistake }, 100],
      [{ kind: 'latest' }, 7],
    ] as const) {
      const plan = await planMoment(view, { target }, { clock: systemClock });
      expect(plan).toMatchObject({ systemId: record.systemId, base: { snapshot: { id: snapshot.id } } });
      const directory = join(bases.base, target.kind);
      await restoreMoment(view.indexed, plan, { directory, action: 'promote', clock: systemClock });
      const rows = await bases.ask(
        repository,
        snapshot,
        directory,
        'SELECT count(*)::int AS count FROM orders',
      );
      expect(rows).toEqual([{ count }]);
    }
  });

  test('leads to the same moments in a copy of the repository, and brings them back from there', async () => {
    await using server = await startPostgres({ major: 17 });
    await using scene = new JournalScene();
    using bases = new PostgresScene();
    using copies = new PostgresScene();
    const [repository, copy] = [await bases.create(), await copies.create()];
    await server.query('CREATE TABLE orders (number int PRIMARY KEY)');
    const { record } = await bases.backUp(repository, server.url);
    const bring = async () =>
      await copySnapshots(repository, copy, {
        clock: systemClock,
        random: Math.random,
        snapshots: await repository.loadSnapshots(),
        signal: new AbortController().signal,
      });
    {
      await using receiver = await Receiver.start(server.url, scene.spool);
      const ship = await shipper(server, receiver, repository);
      for (const last of [100, 200, 300]) {
        await server.query(`INSERT INTO orders SELECT generate_series(${last - 99}, ${last})`);
        await receiver.caughtUp(server);
        await ship.ship();
        expect((await bring()).findings.filter(({ severity }) => severity === 'error')).toEqual([]);
      }
    }
    await server.kill();
    const windowsOf = async (of: Repository) => {
      const view = await viewRepository(of);
      const found = await readBases(view.indexed, view.snapshots);
      const facts = found.map(({ snapshot, record: { end, endedAt } }) => ({
        id: snapshot.id,
        end: parseLsn(end.lsn),
        endedAt: Date.parse(endedAt),
      }));
      const { windows, gaps } = await readWindows(view, walPlace(record.systemId), 16 * MIB, facts);
      return { windows: windows.map(({ bases: _, ...window }) => window), gaps };
    };
    const there = await windowsOf(copy);
    expect(there).toEqual(await windowsOf(repository));
    expect(there.windows).toHaveLength(1);
    const view = await viewRepository(copy);
    const plan = await planMoment(view, { target: { kind: 'latest' } }, { clock: systemClock });
    const directory = join(copies.base, 'latest');
    await restoreMoment(view.indexed, plan, { directory, action: 'promote', clock: systemClock });
    const counted = 'SELECT count(*)::int AS count FROM orders';
    expect(await copies.ask(copy, plan.base.snapshot, directory, counted)).toEqual([{ count: 300 }]);
  });

  test('is brought up by itself after minutes without the repository, asked ever more rarely', async () => {
    await using server = await startPostgres({ major: 16 });
    await using scene = new JournalScene();
    using repositoryScene = new BackupScene();
    const repository = await repositoryScene.create();
    await using receiver = await Receiver.start(server.url, scene.spool);
    await receiver.caughtUp(server);
    const { systemId } = await inspectServer(
      serverAddress(parseServerUrl(server.url)),
      AbortSignal.timeout(30_000),
    );
    const events: ShipperEvent[] = [];
    const heard = (kind: ShipperEvent['kind']) => events.filter((event) => event.kind === kind).length;
    const stop = new AbortController();
    const loop = new WalShipper({
      spool: receiver.spool,
      writer: sliceWriter(repository, systemId),
      segmentSize: 16 * MIB,
      clock: quickClock(100),
      random: () => 1,
      interval: 150_000,
      onEvent: (event) => events.push(event),
      signal: stop.signal,
    }).run();
    await expect.poll(() => heard('caught-up'), { timeout: 30_000 }).toBeGreaterThan(0);
    const away = `${repositoryScene.repositoryPath}-away`;
    renameSync(repositoryScene.repositoryPath, away);
    await makeWal(server, 20 * MIB);
    const pauses = () => events.flatMap((event) => (event.kind === 'not-shipped' ? [event.retryIn] : []));
    await expect
      .poll(pauses, { timeout: 60_000 })
      .toEqual(expect.arrayContaining([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000]));
    await makeWal(server, 20 * MIB);
    await receiver.caughtUp(server);
    expect(pauses().slice(pauses().indexOf(2000) + 1)).toEqual(
      expect.arrayContaining([4000, 8000, 16_000, 32_000, 60_000]),
    );
    expect(pauses()).toEqual(pauses().toSorted((a, b) => a - b));
    expect([receiver.of('interrupted'), receiver.of('gap')]).toEqual([[], []]);
    const before = heard('caught-up');
    renameSync(away, repositoryScene.repositoryPath);
    await expect.poll(() => heard('caught-up'), { timeout: 60_000 }).toBeGreaterThan(before);
    expect(await receiver.spool.names()).toHaveLength(1);
    stop.abort();
    await loop;
  });

  test('waits in the spool while the repository cannot be reached, and the stream goes on', async () => {
    await using server = await startPostgres({ major: 16 });
    await using scene = new JournalScene();
    using repositoryScene = new BackupScene();
    const repository = await repositoryScene.create();
    await using receiver = await Receiver.start(server.url, scene.spool);
    const ship = await shipper(server, receiver, repository);
    const away = `${repositoryScene.repositoryPath}-away`;
    renameSync(repositoryScene.repositoryPath, away);
    await makeWal(server, 40 * MIB);
    await receiver.caughtUp(server);
    await expect(ship.ship()).rejects.toMatchObject({ name: 'Failure' });
    expect(receiver.of('interrupted')).toEqual([]);
    const waiting = readdirSync(scene.spool).filter((name) => /^[0-9A-F]{24}$/.test(name));
    expect(waiting.length).toBeGreaterThanOrEqual(2);
    renameSync(away, repositoryScene.repositoryPath);
    await ship.ship();
    const slices = await listSlices(
      await repository.loadIndex(),
      await repository.loadSnapshots(),
      walPlace(
        (await inspectServer(serverAddress(parseServerUrl(server.url)), AbortSignal.timeout(9000))).systemId,
      ),
    );
    const shipped = slices.flatMap(({ files }) => files.map(({ name }) => name.toString()));
    expect(shipped).toEqual(expect.arrayContaining(waiting));
    expect(await receiver.spool.names()).toHaveLength(1);
  });
});
