import { type Finding, idFromBytes } from '@holdfast/engine';
import { describe, expect, test } from 'vitest';
import { allCommands } from '../../../testing/all-commands.ts';
import { recordedContext } from '../../../testing/context.ts';
import { snapshotOf } from '../../../testing/snapshots.ts';
import { runProgram } from '../../program.ts';
import type { EvidenceRequest, EvidenceSummary } from './evidence.ts';
import type { VerificationSummary } from './verify.ts';

const ACCESS = { HOLDFAST_REPOSITORY: '/repository', HOLDFAST_PASSWORD: 'secret' };
const ID = idFromBytes(Buffer.alloc(32, 0xab));

const SUMMARY: VerificationSummary = {
  evidence: ID,
  takenAt: '2026-11-21T10:00:00.000Z',
  base: idFromBytes(Buffer.alloc(32, 0xcd)),
  server: 'postgres://backup@db-1:5432/postgres',
  serverVersion: '18.4',
  content: [
    {
      database: 'shop',
      lsn: '0/15D68C8',
      exact: 12,
      sampled: 1,
      different: 0,
      unknown: 0,
      rows: '1234567',
      tolerance: 0,
    },
  ],
  pages: 3456,
  findings: [],
  bytes: 48_000_000,
  recoveryMilliseconds: 1400,
  milliseconds: 3200,
  restorableUntil: '2026-11-21T10:00:00.000Z',
};

async function verify(findings: readonly Finding[], line = '') {
  const context = recordedContext({ environment: ACCESS });
  const registrations = allCommands({ verifyPostgres: async () => ({ ...SUMMARY, findings }) });
  const words = ['postgres', 'verify', ...line.split(' ').filter(Boolean)];
  const code = await runProgram(words, context, { version: '0', registrations });
  return { code, ...context.written };
}

const different: Finding = {
  severity: 'error',
  code: 'evidence.different',
  subject: 'shop: public.orders',
  message: '12 rows in the original, 11 in the copy',
};
const unknown: Finding = {
  severity: 'warning',
  code: 'evidence.unknown',
  subject: 'shop: public.secret',
  message: 'nothing is known of its content',
};

describe('holdfast postgres verify', () => {
  test('says what was compared, and what was not', async () => {
    const { code, stdout } = await verify([]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/Proved by restore: evidence abababab/);
    expect(stdout).toMatch(
      /shop at 0\/15D68C8: 12 tables exactly the same \(1,234,567 rows\), 1 of them in part/,
    );
    expect(stdout).toMatch(/3,456 with their checksums/);
    expect(stdout).toMatch(/indexes +not compared: .* without amcheck/);
  });

  test('ends with 1 for a difference, with 3 for what is unknown, and never calls those proved', async () => {
    const wrong = await verify([unknown, different]);
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toMatch(/evidence\.different/);
    const open = await verify([unknown]);
    expect(open.code).toBe(3);
    for (const { stdout } of [wrong, open]) expect(stdout).not.toMatch(/Proved/);
    expect(wrong.stdout.indexOf('11 in the copy')).toBeLessThan(wrong.stdout.indexOf('public.secret'));
  });

  test('prints each finding as a line for programs', async () => {
    const { stdout } = await verify([different], '--json');
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toMatchObject([
      { type: 'finding', code: 'evidence.different' },
      { type: 'summary', errors: 1, warnings: 0, pages: 3456 },
      { type: 'error', exitCode: 1 },
    ]);
  });
});

describe('holdfast postgres evidence', () => {
  const summary: EvidenceSummary = {
    snapshot: ID,
    stored: snapshotOf(ID),
    server: 'postgres://backup@db-1:5432/postgres',
    systemId: '7',
    databases: [{ name: 'shop', lsn: '0/15D68C8', method: 'slot' }],
    tables: 2,
    hashed: 1,
    sampled: 1,
    rows: '12',
    unknown: [],
    milliseconds: 400,
  };

  async function take(line: string, unknown: EvidenceSummary['unknown'] = []) {
    const context = recordedContext({ environment: ACCESS });
    let request: EvidenceRequest | undefined;
    const registrations = allCommands({
      takeEvidence: async (_access, given) => {
        request = given;
        return { ...summary, unknown };
      },
    });
    const words = ['postgres', 'evidence', ...line.split(' ').filter(Boolean)];
    const code = await runProgram(words, context, { version: '0', registrations });
    return { code, request, ...context.written };
  }

  test('takes aggregates by table, and limits as people write them', async () => {
    const { code, request, stdout } = await take(
      '--url postgres://u@db/ --aggregate shop.public.orders=sum(a=1) -d shop --hash-up-to 1G --total-time 1h',
    );
    expect(code).toBe(0);
    expect(request).toMatchObject({
      aggregate: [{ table: 'shop.public.orders', sql: 'sum(a=1)' }],
      database: ['shop'],
      hashUpTo: 2 ** 30,
      totalTime: 3_600_000,
    });
    expect(stdout).toMatch(/knows +2 tables, 12 rows; 1 hashed row by row, 1 looked at in part/);
    expect((await take('--url postgres://u@db/ --aggregate orders')).code).toBe(2);
  });

  test('ends with 3 when a table is unknown, and prints once what helps', async () => {
    const hint = 'GRANT pg_read_all_data TO "backup";';
    const { code, stdout } = await take('--url postgres://u@db/', [
      { subject: 'shop: public.a', message: 'the role backup may not read it', hint },
      { subject: 'shop: public.b', message: 'the role backup may not read it', hint },
    ]);
    expect(code).toBe(3);
    expect(stdout.split(hint)).toHaveLength(2);
    expect(stdout).toMatch(/\? shop: public\.b/);
  });
});
