import { describe, expect, test } from 'vitest';
import { judge } from '../../status/judge.ts';
import { DAY, HOUR, healthyFacts, MINUTE, NOW, runOf, shopPolicy } from '../../testing/healthy-stack.ts';
import { styleFor } from '../style.ts';
import { displayWidth } from '../width.ts';
import { renderStatus, statusRecord } from './status.ts';

const plain = styleFor({ colour: false });
const good = judge({ policy: shopPolicy(), facts: healthyFacts(), now: NOW });
const bad = judge({ policy: shopPolicy(), facts: troubled(), now: NOW });

describe('the status', () => {
  test('of a healthy stack is one calm screen', () => {
    expect(renderStatus(good, plain, 100)).toEqual([
      'shop · Sat 21 Nov 2026 10:52 (Asia/Ho_Chi_Minh)                                              good: 6',
      '',
      '  source    objective  at stake    restorable                     copies            next',
      '✔ metadata  RPO 5 min  2.0 s       any moment since 14 Nov 10:52  2 of 2, 2 places  11:00',
      '✔ media     RPO 1 d    8 h 52 min  7 points, last 02:00           2 of 2, 2 places  22 Nov 02:00',
      '',
      '  repository   holds    left       grows  full         checked',
      '✔ main        300 GB  700 GB  1.0 GB/day  in 700 days  2 days ago, 20 % of the data read',
      '✔ offsite     280 GB       –  1.0 GB/day  –            2 days ago, 20 % of the data read',
      '',
      '  copy            behind   next',
      '✔ main → offsite  nothing  after each snapshot',
    ]);
  });

  test('of a stack in trouble begins with the worst, and says what happened and what to look at', () => {
    expect(renderStatus(bad, plain, 100)).toEqual([
      'shop · Sat 21 Nov 2026 10:52 (Asia/Ho_Chi_Minh)        broken: 1 · unknown: 1 · at risk: 1 · good: 3',
      '',
      '  source    objective  at stake  restorable                     copies            next',
      '✖ media     RPO 1 d    1 d 7 h   7 points, last 20 Nov 03:52    2 of 2, 2 places  11:00',
      '    ✖ 1 d 7 h of the work in media would be lost now; 1 d were promised.',
      '      The next good snapshot mends it. Look at: holdfast runs',
      '    ▲ The last snapshot of media failed: the source refused the login (AccessDenied).',
      '      Next try 21 Nov 2026 11:00 +07:00. Look at: holdfast runs run-media-snapshot',
      '✔ metadata  RPO 5 min  2.0 s     any moment since 14 Nov 10:52  2 of 2, 2 places  11:00',
      '',
      '  repository   holds    left       grows  full         checked',
      '? offsite     280 GB       –  1.0 GB/day  –            20 days ago, 20 % of the data read',
      '    ? Nothing is known of the check runs of offsite.',
      '▲ main        300 GB  700 GB  1.0 GB/day  in 700 days  20 days ago, 20 % of the data read',
      '    ▲ main was last checked 20 days ago.',
      '      Damage that nobody looks for is found at the restore. Look at: holdfast runs',
      '',
      '  copy            behind   next',
      '✔ main → offsite  nothing  after each snapshot',
    ]);
  });

  test.each([80, 100, 300])('fits into %i columns, or 100', (width) => {
    for (const status of [good, bad]) {
      for (const line of renderStatus(status, plain, width)) {
        expect(displayWidth(line), line).toBeLessThanOrEqual(Math.min(width, 100));
      }
    }
  });

  test('is complete as a record', () => {
    expect(statusRecord(bad)).toMatchObject({ type: 'stack', verdict: 'broken', stack: 'shop' });
  });
});

function troubled() {
  const facts = healthyFacts();
  const failure = { code: 'source.auth', message: 'the source refused the login (AccessDenied)' };
  return {
    ...facts,
    holdings: facts.holdings.map((holding) =>
      holding.source === 'media' && holding.newest !== undefined
        ? {
            ...holding,
            newest: { ...holding.newest, time: NOW - 31 * HOUR },
            newestGood: { ...holding.newest, time: NOW - 31 * HOUR },
          }
        : holding,
    ),
    work: facts.work
      .filter(({ about, kind }) => about !== 'offsite' || kind !== 'check')
      .map((work) =>
        work.about === 'media'
          ? {
              ...work,
              last: runOf('snapshot', 'media', NOW - 8 * HOUR, { state: 'failed', failure }),
              open: runOf('snapshot', 'media', NOW + 8 * MINUTE, { state: 'waiting' }),
            }
          : work,
      ),
    checks: facts.checks.map((check) => ({ ...check, structureAt: NOW - 20 * DAY })),
  };
}
