import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import type { RecoveryWindow } from '../../app/src/catalog/records.ts';
import { rollUp } from '../../app/src/journal/roll-up.ts';
import { carryCopy } from '../../app/src/protect/copy.ts';
import { forgetPoints } from '../../app/src/protect/forget.ts';
import { repositoryNamed } from '../../app/src/protect/hands.ts';
import { sourceTags } from '../../app/src/protect/labels.ts';
import { pointsOf } from '../../app/src/protect/point-of.ts';
import { windowsIn } from '../../app/src/protect/see-windows.ts';
import { backUpBase } from '../../app/src/sources/postgres/base/base-backup.ts';
import { parseServerUrl, serverAddress } from '../../app/src/sources/postgres/connection/server-address.ts';
import { inspectServer } from '../../app/src/sources/postgres/journal/receiver.ts';
import { WalShipper } from '../../app/src/sources/postgres/journal/wal-shipper.ts';
import { rolledUpTags, walPlace } from '../../app/src/sources/postgres/journal/wal-slices.ts';
import { HOUR } from '../../app/src/testing/healthy-stack.ts';
import { type Clock, systemClock } from '../../engine/src/kernel/clock.ts';
import { KeptIndex } from '../../engine/src/repository/kept-index.ts';
import type { Repository } from '../../engine/src/repository/repository.ts';
import { JournalScene, makeWal, Receiver } from '../postgres/journal-scene.ts';
import { PASSWORD } from '../scenes/backup-scene.ts';
import { type RunningPostgres, startPostgres } from '../servers/postgres.ts';
import { restic } from '../servers/restic.ts';
import { testWith } from '../servers/test-with.ts';
import { DutyScene } from './duty-scene.ts';

const COPY = { kind: 'copy', copy: 'main → offsite' } as const;
const FORGET = { kind: 'forget', repository: 'offsite' } as const;
const MIB = 2 ** 20;
const labels = { hostname: 'scene', username: 'somebody', uid: 0, gid: 0, programVersion: 'holdfast test' };

function writerTo(repository: Repository, systemId: string, clock: Clock) {
  const { signal } = new AbortController();
  const tags = sourceTags('shop', 'metadata');
  const index = new KeptIndex(repository);
  return { repository, index, place: walPlace(systemId), clock, labels, tags, retryLock: 0, signal };
}

/** A base and a journal of several slices, the last of which ends within a segment. */
async function protect(repository: Repository, server: RunningPostgres, spool: string): Promise<string> {
  const address = serverAddress(parseServerUrl(server.url));
  const facts = await inspectServer(address, AbortSignal.timeout(30_000));
  const tags = ['postgres', 'base', ...sourceTags('shop', 'metadata')];
  const time = new Date().toISOString();
  await backUpBase(repository, { address, clock: systemClock, labels: { ...labels, tags, time } });
  await using receiver = await Receiver.start(server.url, spool);
  const shipper = new WalShipper({
    spool: receiver.spool,
    writer: writerTo(repository, facts.systemId, systemClock),
    segmentSize: facts.segmentSize,
    clock: systemClock,
    random: Math.random,
    interval: 60_000,
    onEvent: () => undefined,
    signal: new AbortController().signal,
  });
  for (let slices = 0; slices < 3; slices += 1) {
    await makeWal(server, 18 * MIB);
    await receiver.caughtUp(server);
    await shipper.ship();
  }
  return facts.systemId;
}

async function windowsAt(scene: DutyScene, name: string): Promise<Omit<RecoveryWindow, 'repository'>[]> {
  const duty = scene.duty({ kind: 'survey', repository: name });
  const access = await duty.hands.accessOf(repositoryNamed(scene.policy, name), duty.work.signal);
  const points = pointsOf(name, await (await scene.open(name)).loadSnapshots());
  return (await windowsIn(duty, name, access, points)).map(({ repository: _, ...window }) => window);
}

const withRestic = testWith(restic);

withRestic(
  'a copy of a journal loses what a roll-up in it holds, and leads to the same moments',
  async ({ server: program }) => {
    await using server = await startPostgres({ major: 16 });
    await using scene = new JournalScene();
    using shop = new DutyScene();
    const [main] = [await shop.create('main'), await shop.create('offsite')];
    const systemId = await protect(main, server, scene.spool);
    await server.kill();
    await carryCopy(shop.duty(COPY), COPY.copy);
    const before = await windowsAt(shop, 'offsite');
    expect(before).toHaveLength(1);
    expect(before).toEqual(await windowsAt(shop, 'main'));
    const slices = (await shop.idsIn('offsite')).length - 1;

    // Nothing holds them yet.
    expect((await forgetPoints(shop.duty(FORGET), 'offsite')).removed).toEqual([]);

    const later: Clock = { ...systemClock, now: () => Date.now() + 2 * HOUR };
    await rollUp(writerTo(main, systemId, later), rolledUpTags);
    await carryCopy(shop.duty(COPY), COPY.copy);
    const { removed } = await forgetPoints(shop.duty(FORGET), 'offsite');
    expect(removed).toHaveLength(slices);
    expect(await shop.idsIn('offsite')).toHaveLength((await shop.idsIn('main')).length);
    expect(await windowsAt(shop, 'offsite')).toEqual(before);
    expect((await carryCopy(shop.duty(COPY), COPY.copy)).result.snapshots).toEqual([]);

    const words = ['--repo', shop.pathOf('offsite'), '--no-cache', 'check', '--read-data'];
    const environment = { ...process.env, RESTIC_PASSWORD: PASSWORD };
    const { stdout } = await promisify(execFile)(program.path, words, { env: environment });
    expect(stdout).toContain('no errors were found');
  },
);
