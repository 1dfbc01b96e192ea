import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect } from 'vitest';
import type { StoredSnapshot } from '../../engine/src/format/types.ts';
import { parseCalendarDuration } from '../../engine/src/repository/calendar-duration.ts';
import { planForget } from '../../engine/src/repository/forget-plan.ts';
import type { KeepPolicy } from '../../engine/src/repository/keep-policy.ts';
import { parseGrouping } from '../../engine/src/repository/snapshot-group.ts';
import { restic } from '../servers/restic.ts';
import { testWith } from '../servers/test-with.ts';

const execute = promisify(execFile);
const withRestic = testWith(restic);

/** Moments around midnights, New Years, a leap day and a month's end, as clocks in different offsets showed them. */
const backups = [
  { zone: 'UTC', tags: '', times: daily('2024-02-27', 8, '03:00:00') },
  { zone: 'Asia/Ho_Chi_Minh', tags: 'release,eu', times: daily('2023-12-28', 8, '00:30:00') },
  { zone: 'America/St_Johns', tags: 'release', times: daily('2024-03-06', 6, '23:59:59') },
  { zone: 'UTC', tags: 'hourly', times: hourly('2024-03-31', 14) },
  {
    zone: 'UTC',
    tags: '',
    times: ['2020-06-01', '2021-01-03', '2021-01-04', '2021-07-01'].map(at('12:00:00')),
  },
  {
    zone: 'Pacific/Auckland',
    tags: '',
    times: ['2022-01-01', '2022-05-31', '2023-01-01'].map(at('06:00:00')),
  },
  { zone: 'UTC', tags: 'future', times: ['2099-01-01 00:00:00'] },
];

const policies: { options: string; policy: KeepPolicy }[] = [
  { options: '--keep-last 3', policy: { count: { last: 3 } } },
  { options: '--keep-hourly 5', policy: { count: { hourly: 5 } } },
  { options: '--keep-daily 7', policy: { count: { daily: 7 } } },
  { options: '--keep-weekly 6', policy: { count: { weekly: 6 } } },
  { options: '--keep-monthly 4 --keep-yearly 2', policy: { count: { monthly: 4, yearly: 2 } } },
  // restic 0.14 does not know "unlimited" yet; a thousand is more than there are.
  { options: '--keep-daily 1000', policy: { count: { daily: 'unlimited' } } },
  { options: '--keep-yearly 1000', policy: { count: { yearly: 'unlimited' } } },
  {
    options: '--keep-last 2 --keep-daily 5 --keep-weekly 4 --keep-monthly 12 --keep-yearly 75',
    policy: { count: { last: 2, daily: 5, weekly: 4, monthly: 12, yearly: 75 } },
  },
  { options: '--keep-within 1m', policy: { within: { last: parseCalendarDuration('1m') } } },
  { options: '--keep-within 1y1m30d2h', policy: { within: { last: parseCalendarDuration('1y1m30d2h') } } },
  {
    options: '--keep-within-hourly 5h --keep-within-daily 10d --keep-within-weekly 3m',
    policy: {
      within: {
        hourly: parseCalendarDuration('5h'),
        daily: parseCalendarDuration('10d'),
        weekly: parseCalendarDuration('3m'),
      },
    },
  },
  {
    options: '--keep-within-monthly 2y --keep-within-yearly 5y',
    policy: { within: { monthly: parseCalendarDuration('2y'), yearly: parseCalendarDuration('5y') } },
  },
  {
    options: '--keep-tag release,eu --keep-tag hourly',
    policy: { tags: [['release', 'eu'], ['hourly']] },
  },
  { options: '--keep-tag release --keep-weekly 2', policy: { tags: [['release']], count: { weekly: 2 } } },
];

const cases = policies.flatMap(({ options, policy }) =>
  ['host,tags', 'paths'].map((groupBy) => ({ options, policy, groupBy })),
);

interface Prepared {
  readonly directory: string;
  readonly restic: (args: readonly string[], zone?: string) => Promise<string>;
  readonly snapshots: readonly StoredSnapshot[];
}
let prepared: Promise<Prepared> | undefined;

afterAll(async () => {
  const { directory } = (await prepared) ?? {};
  if (directory !== undefined) await rm(directory, { recursive: true, force: true });
});

withRestic.for(cases)(
  'forget $options, grouped by "$groupBy", keeps what restic keeps',
  async (one, { server }) => {
    prepared ??= prepare(server.path);
    const { restic: run, snapshots } = await prepared;
    const theirs = JSON.parse(
      await run(['forget', '--dry-run', '--json', '--group-by', one.groupBy, ...one.options.split(' ')]),
    ) as { keep: { id: string }[] | null; remove: { id: string }[] | null }[];
    const ours = planForget(snapshots, one.policy, {
      now: Date.now(),
      groupBy: parseGrouping(one.groupBy),
      allowRemovingNewest: true,
    });

    // restic keeps the oldest snapshot for a count that is not used up since 0.16, and for durations since later.
    const kept = ours.flatMap(({ keep }) => keep);
    const withoutOldest = kept.filter(
      ({ reasons }) => !reasons.every((reason) => reason.startsWith('oldest ')),
    );
    const most = times(snapshots, kept);
    const least = times(snapshots, withoutOldest);
    const keptByRestic = times(
      snapshots,
      theirs.flatMap(({ keep }) => (keep ?? []).map((snapshot) => ({ snapshot }))),
    );
    expect(ours).toHaveLength(theirs.length);
    expect(most).toEqual(expect.arrayContaining(keptByRestic));
    expect(keptByRestic).toEqual(expect.arrayContaining(least));
    if (/^0\.1[0-5]\./.test(server.version)) expect(keptByRestic).toEqual(least);
    expect(kept.length + ours.flatMap(({ remove }) => remove).length).toBe(snapshots.length);
  },
);

/** The times of some snapshots, sorted: a difference then says more than ids would. */
function times(all: readonly StoredSnapshot[], some: readonly { snapshot: { id: string } }[]): string[] {
  return some.map(({ snapshot: { id } }) => all.find((one) => one.id === id)?.time ?? id).toSorted();
}

async function prepare(program: string): Promise<Prepared> {
  const directory = await mkdtemp(path.join(tmpdir(), 'holdfast-forget-'));
  const env = {
    ...process.env,
    RESTIC_REPOSITORY: path.join(directory, 'repository'),
    RESTIC_PASSWORD: 'forget',
  };
  const run = async (args: readonly string[], zone = 'UTC') => {
    const options = { env: { ...env, TZ: zone }, cwd: directory, maxBuffer: 64 * 1024 * 1024 };
    return (await execute(program, ['--no-cache', ...args], options)).stdout;
  };
  await run(['init']);
  await writeFile(path.join(directory, 'file'), 'a file');

  const queue = backups.flatMap(({ zone, tags, times: moments }) =>
    moments.map((time) => ({ zone, tags, time })),
  );
  const backUp = async () => {
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      const tags = next.tags === '' ? [] : ['--tag', next.tags];
      const options = ['--quiet', '--force', '--host', 'db-1', '--time', next.time];
      await run(['backup', ...options, ...tags, 'file'], next.zone);
    }
  };
  const expected = queue.length;
  await Promise.all([backUp(), backUp(), backUp()]);

  const listed = JSON.parse(await run(['snapshots', '--json'])) as (StoredSnapshot & { tags?: string[] })[];
  expect(listed).toHaveLength(expected);
  return { directory, restic: run, snapshots: listed.map((one) => ({ ...one, tags: one.tags ?? [] })) };
}

function at(clock: string): (day: string) => string {
  return (day) => `${day} ${clock}`;
}

function daily(from: string, days: number, clock: string): string[] {
  const first = Temporal.PlainDate.from(from);
  return Array.from({ length: days }, (_, index) => first.add({ days: index }).toString()).map(at(clock));
}

function hourly(day: string, hours: number): string[] {
  return Array.from({ length: hours }, (_, hour) => `${day} ${String(hour).padStart(2, '0')}:15:00`);
}
