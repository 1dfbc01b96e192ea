import type { CheckFinding } from '@holdfast/engine';
import { describe, expect, test } from 'vitest';
import { checkOf } from '../../testing/check-result.ts';
import { figuresOf, idOf, snapshotOf } from '../../testing/snapshots.ts';
import { styleFor } from '../style.ts';
import { displayWidth } from '../width.ts';
import { renderBackup } from './backup-summary.ts';
import { renderCheck } from './check-findings.ts';
import { renderEntry } from './entries.ts';
import { renderForgetPlan } from './forget-plan.ts';
import { renderKeys } from './keys.ts';
import { renderPoints } from './points.ts';
import { renderPruneOutcome, renderPrunePlan } from './prune-plan.ts';
import { renderStats } from './repository-stats.ts';
import { renderRestorePlan } from './restore-plan.ts';
import { renderRestore } from './restore-summary.ts';
import { renderTable } from './table.ts';

const style = styleFor({ colour: false });
const reader = { now: Date.parse('2026-11-21T10:52:00Z'), timeZone: 'Asia/Ho_Chi_Minh', width: 100 };

describe('points', () => {
  test('are listed oldest first, with age, zone and size, and what to do next', () => {
    const older = snapshotOf('0f', {
      time: '2026-11-18T10:44:00Z',
      tags: ['nightly'],
      paths: ['/etc', '/srv'],
    });
    const newer = snapshotOf('1a2b3c4d', { summary: figuresOf() });
    expect(renderPoints([newer, older], reader)).toEqual([
      'point     taken                                 host    size  tags     paths',
      '0f000000  18 Nov 2026 17:44 +07:00  3 days ago  db-2          nightly  /etc, /srv',
      '1a2b3c4d  21 Nov 2026 17:44 +07:00  7 min ago   db-2  118 MB           /home/ann',
      '',
      '2 points   Next: holdfast files restore 1a2b3c4d --target DIR',
    ]);
  });

  test('that are none say what to do', () => {
    expect(renderPoints([], reader)).toEqual(['No points yet. Next: holdfast files backup PATH']);
  });
});

test('a table gives way in its flexible column only', () => {
  const columns = [{ title: 'id' }, { title: 'path', flexible: true }] as const;
  const lines = renderTable(columns, [['1a', '/a/very/long/path/to/日本']], 20);
  expect(lines).toEqual(['id  path', '1a  …ng/path/to/日本']);
  for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(20);
});

describe('a forget plan', () => {
  const plan = {
    groups: [
      {
        name: 'host db-2',
        keep: [{ snapshot: snapshotOf('2b', { time: '2026-11-21T00:00:00Z' }), reasons: ['last', 'daily'] }],
        remove: [snapshotOf('1a', { time: '2026-11-20T00:00:00Z' })],
      },
    ],
  };

  test('says for each point whether it stays and why', () => {
    expect(renderForgetPlan(plan, { ...reader, style, compact: false, dryRun: true })).toEqual([
      'host db-2 · 1 of 2 forgotten',
      '   point     taken                                why',
      '✖  1a000000  20 Nov 2026 07:00 +07:00  1 day ago  forget: no rule keeps it',
      '✔  2b000000  21 Nov 2026 07:00 +07:00  10 h ago   last, daily',
      '',
      '1 point would be forgotten, 1 point kept',
    ]);
  });

  test('in compact form is a line for each group', () => {
    expect(renderForgetPlan(plan, { ...reader, style, compact: true, dryRun: false })).toHaveLength(3);
  });
});

describe('a backup', () => {
  const summary = {
    snapshot: idOf('1a2b3c4d'),
    figures: figuresOf(),
    milliseconds: 1400,
    unreadable: [],
    changedWhileRead: [],
    notKept: [],
  };

  test('is told in what was read, what was stored and what comes next', () => {
    expect(renderBackup(summary, style)).toEqual([
      '✔ Saved snapshot 1a2b3c4d (the first of its kind) in 1.4 s',
      '  read    11,842 files, 118 MB: 120 new, 3 changed, 11,719 unchanged',
      '  stored  41.2 MB new as 22.9 MB (compression 1.8×)',
      '  Next: holdfast files restore 1a2b3c4d --target DIR   brings it back into DIR',
    ]);
  });

  test('that lacks files or is no full truth says so first', () => {
    const lines = renderBackup(
      {
        ...summary,
        parent: idOf('0f'),
        unreadable: Array.from({ length: 22 }, (_, index) => ({
          path: `/s${index}`,
          message: 'permission denied',
        })),
        changedWhileRead: ['/var/log/syslog'],
        notKept: ['ACLs are not kept on this file system.'],
      },
      style,
    );
    expect(lines[0]).toBe('✖ /s0: permission denied');
    expect(lines[20]).toBe('  and 2 more (all of them with --json)');
    expect(lines[21]).toBe('▲ changed while being read, saved as found: /var/log/syslog');
    expect(lines[22]).toBe('? ACLs are not kept on this file system.');
    expect(lines[23]).toBe('▲ Saved snapshot 1a2b3c4d (after 0f000000) in 1.4 s');
  });

  test('that was only tried promises no snapshot', () => {
    const { snapshot, ...dry } = summary;
    const text = renderBackup(dry, style).join('\n');
    expect(text).toContain('Dry run in 1.4 s: nothing was written');
    expect(text).not.toContain('Next');
  });

  test('without anything new stores nothing', () => {
    const unchanged = { ...summary, figures: figuresOf({ dataAdded: 0, dataAddedPacked: 0 }) };
    expect(renderBackup(unchanged, style)[2]).toBe('  stored  nothing new');
  });
});

describe('a restore', () => {
  const summary = {
    target: '/tmp/back',
    dryRun: false,
    filesRestored: 11_842,
    filesUnchanged: 7,
    filesSkipped: 0,
    filesDeleted: 0,
    bytesWritten: 118_000_000,
    milliseconds: 3200,
    failed: [],
    incomplete: [],
    notKept: [],
  };

  test('is told with what was compared, or how to have it compared', () => {
    expect(renderRestore({ ...summary, filesVerified: 11_849 }, style)).toEqual([
      '✔ Restored 11,842 files, 118 MB into /tmp/back in 3.2 s',
      '  7 already there',
      '  11,849 files read back and compared',
    ]);
    expect(renderRestore(summary, style).at(-1)).toContain('--verify');
  });

  test('that was only tried says what would happen', () => {
    expect(renderRestore({ ...summary, dryRun: true }, style)).toEqual([
      '? Dry run in 3.2 s: would write 11,842 files, 118 MB into /tmp/back; 7 already there',
    ]);
  });
});

describe('a check', () => {
  const result = checkOf({ unchecked: ['The contents of the files were not read.'] });

  test('without findings says what it looked at and what it did not', () => {
    expect(renderCheck(result, style, 80)).toEqual([
      '✔ No errors in 3 snapshots and 1,200 packs (0.9 s)',
      '  The contents of the files were not read.',
    ]);
    const checked = { ...result.checked, packsRead: 1200, bytesRead: 5e9 };
    const unused = { blobs: 2, bytes: 4e6 };
    expect(renderCheck({ ...result, checked, unchecked: [], unused }, style, 80)).toEqual([
      '✔ No errors in 3 snapshots and 1,200 packs, 5.0 GB of data read and authenticated (0.9 s)',
      '  4.0 MB in 2 pieces are needed by no snapshot (holdfast repo prune).',
    ]);
  });

  test('puts the worst first, each with what it costs and what to do', () => {
    const findings: CheckFinding[] = [
      {
        severity: 'note',
        code: 'pack.unused',
        subject: 'pack 9',
        message: 'nothing needs it',
        hint: 'Prune.',
      },
      {
        severity: 'error',
        code: 'pack.missing',
        subject: 'pack 1',
        message: 'it is not there',
        affected: { total: 1200, paths: ['snapshot 1a2b3c4d:/etc/fstab'] },
      },
    ];
    expect(renderCheck({ ...result, findings }, style, 80)).toEqual([
      '✖ pack 1: it is not there',
      '    snapshot 1a2b3c4d:/etc/fstab',
      '    and 1,199 more',
      '  pack.missing',
      '? pack 9: nothing needs it',
      '  Prune.',
      '  pack.unused',
      '✖ 1 error in 3 snapshots and 1,200 packs (0.9 s)',
      '  The contents of the files were not read.',
    ]);
  });
});

test('statistics say what they count', () => {
  const stats = { mode: 'raw-data', snapshots: 2, blobs: 1234, totalSize: 5e6 } as const;
  expect(renderStats({ ...stats, uncompressedSize: 9e6, compressionRatio: 1.8 })).toEqual([
    '2 snapshots · what the repository takes for them',
    '  pieces       1,234',
    '  size         5.0 MB',
    '  uncompressed 9.0 MB',
    '  compression  1.8×',
  ]);
});

test('a plan to delete names what goes, and how to agree', () => {
  const plan = {
    target: '/srv',
    deletions: Array.from({ length: 21 }, (_, index) => `/stray ${index}`),
    token: '1a2b3c',
  };
  const lines = renderRestorePlan(plan, style, true);
  expect(lines[0]).toBe('▲ Deletes 21 entries of /srv that the point does not have');
  expect(lines.slice(-3)).toEqual([
    '  /stray 19',
    '  and 1 more (all of them with --json)',
    '  To agree to exactly this: --consent 1a2b3c',
  ]);
});

describe('a prune plan', () => {
  const totals = {
    before: { packs: 700, bytes: 11e9 },
    kept: { packs: 589, bytes: 9e9 },
    repacked: { packs: 1, bytes: 16e6, freed: 10e6 },
    removed: { packs: 100, bytes: 1.5e9 },
    unreferenced: { packs: 10, bytes: 2e6 },
    marked: { packs: 0, bytes: 0 },
    waiting: { packs: 0, bytes: 0 },
    freed: 1.512e9,
    unusedAfter: 4.9e8,
  };
  const none = {
    packs: [],
    unreferenced: [],
    gone: [],
    indexFiles: 0,
    records: [],
    expired: [],
    grace: undefined,
  };
  const plan = { ...none, totals, idle: false };

  test('says what is removed, what is rewritten and what it frees', () => {
    expect(renderPrunePlan(plan, 'UTC')).toEqual([
      '  there    700 packs, 11.0 GB',
      '  remove   110 packs, 1.5 GB',
      '  rewrite  1 pack, 16.0 MB',
      '  frees    1.5 GB; 490 MB unused stay, too scattered to be worth it',
    ]);
  });

  test('says what is marked, what waits and until when', () => {
    const until = Date.parse('2026-11-22T10:52:00Z');
    const marked = { packs: 11, bytes: 18e6 };
    const waiting = { packs: 2, bytes: 32e6, until };
    const later = { ...totals, marked, waiting, freed: 1.5e9 };
    const grace = { now: until, keep: 23 * 3_600_000 };
    expect(renderPrunePlan({ ...plan, grace, totals: later }, 'UTC').slice(1)).toEqual([
      '  remove   100 packs, 1.5 GB, marked before',
      '  mark     11 packs, 18.0 MB, to be removed after 23 h',
      '  waiting  2 packs, 32.0 MB, marked before; the first may go on 22 Nov 2026 10:52 +00:00',
      '  rewrite  1 pack, 16.0 MB',
      '  frees    1.5 GB; 490 MB unused stay, too scattered to be worth it',
    ]);
  });

  test('that has nothing to do says so in a line', () => {
    const idle = { ...plan, idle: true, totals: { ...totals, unusedAfter: 0 } };
    expect(renderPrunePlan(idle, 'UTC')).toEqual([
      '  nothing to do in 700 packs, 11.0 GB; nothing unused stays',
    ]);
  });

  test('that found no moment to be executed is no failure, and says why', () => {
    const outcome = { bytesFreed: 0, bytesMarked: 0, grace: 0, milliseconds: 0 };
    expect(renderPruneOutcome({ ...outcome, postponed: 'locked by process 7' }, style)[0]).toBe(
      '▲ Nothing was marked or removed: locked by process 7',
    );
    const marking = { ...outcome, bytesMarked: 18e6, grace: 23 * 3_600_000, milliseconds: 1200 };
    expect(renderPruneOutcome(marking, style)).toEqual([
      '✔ Freed 0 B in 1.2 s, marked 18.0 MB: a prune after 23 h frees them',
    ]);
  });
});

test('the key that opened the repository is marked', () => {
  const key = { id: idOf('1a'), current: true, user: 'ann', host: 'db-2', created: reader.now };
  expect(renderKeys([key], 'UTC', 80)[1]).toBe('✔  1a000000  ann   db-2  21 Nov 2026 10:52 +00:00');
});

test.each([
  ['file', 0o4755, '-rwsr-xr-x'],
  ['file', 0o4644, '-rwSr--r--'],
  ['dir', 0o1777, 'drwxrwxrwt'],
  ['dir', 0o2750, 'drwxr-s---'],
  ['symlink', 0o777, 'lrwxrwxrwx'],
] as const)('the mode of a %s %o is written as ls does', (type, mode, text) => {
  const entry = { path: '/a', type, mode, user: 'ann', group: 'ann', size: 0, modified: 0 };
  expect(renderEntry(entry, true, 'UTC').split(' ')[0]).toBe(text);
});
