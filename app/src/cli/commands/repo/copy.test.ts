import { Failure } from '@holdfast/engine';
import { describe, expect, test } from 'vitest';
import { allCommands } from '../../../testing/all-commands.ts';
import { recordedContext } from '../../../testing/context.ts';
import { idOf, snapshotOf } from '../../../testing/snapshots.ts';
import { runProgram } from '../../program.ts';
import type { CopyResult } from '../../render/copy-summary.ts';
import type { RepositoryAccess } from '../../repository-options.ts';
import type { CopyRequest } from './copy.ts';

const BOTH = {
  HOLDFAST_REPOSITORY: '/target',
  HOLDFAST_PASSWORD: 'its own',
  RESTIC_FROM_REPOSITORY: '/source',
  HOLDFAST_FROM_PASSWORD: 'another',
};

const RESULT: CopyResult = {
  copied: [{ from: snapshotOf('1a2b3c4d'), to: idOf('5e6f7a8b') }],
  present: [{ from: snapshotOf('aa'), to: idOf('bb') }],
  damaged: [],
  findings: [],
  blobs: 1200,
  bytes: 412_000_000,
  verified: { packs: 0, bytes: 0 },
  dryRun: false,
  milliseconds: 4000,
};

async function run(line: string, result: CopyResult | Failure = RESULT, environment: object = BOTH) {
  const context = recordedContext({ environment: { ...environment } });
  let seen: { target: RepositoryAccess; source: RepositoryAccess; request: CopyRequest } | undefined;
  const registrations = allCommands({
    copySnapshots: async (target, source, request) => {
      seen = { target, source, request };
      if (result instanceof Failure) throw result;
      return result;
    },
  });
  const words = ['repo', 'copy', ...line.split(' ').filter(Boolean)];
  const exitCode = await runProgram(words, context, { version: '0', registrations });
  return { exitCode, seen, ...context.written };
}

describe('holdfast repo copy', () => {
  test('knows two repositories, each with its own password', async () => {
    const { seen, exitCode } = await run('latest --tag a,b -o s3.region=x --from-option s3.region=y');
    expect(exitCode).toBe(0);
    expect([seen?.target.location, seen?.target.password.reveal()]).toEqual(['/target', 'its own']);
    expect([seen?.source.location, seen?.source.password.reveal()]).toEqual(['/source', 'another']);
    expect(seen?.target.settings?.extended.get('s3.region')).toBe('x');
    expect(seen?.source.settings?.extended.get('s3.region')).toBe('y');
    expect(seen?.request).toMatchObject({ snapshots: ['latest'], tag: [['a', 'b']] });
  });

  test('options come before variables, for the source as for the target', async () => {
    const { seen } = await run('--from-repo /elsewhere --repo /there -o s3.region=x');
    expect([seen?.source.location, seen?.target.location]).toEqual(['/elsewhere', '/there']);
    expect(seen?.source.settings?.extended.get('s3.region')).toBe('x');
  });

  test('takes no lock on the source with --no-lock, but always one on the target', async () => {
    const { seen } = await run('--no-lock');
    expect([seen?.source.lock, seen?.target.lock]).toEqual([false, true]);
  });

  test.each([
    [{ RESTIC_FROM_REPOSITORY: '' }, /no source was given.*--from-repo, or in HOLDFAST_FROM_REPOSITORY/],
    [{ HOLDFAST_FROM_PASSWORD: '' }, /no password was given for the source.*--from-password-file/],
    [{ HOLDFAST_REPOSITORY: '' }, /no repository was given.*--repo, or in HOLDFAST_REPOSITORY/],
  ])('says what is missing, case %#', async (changes, message) => {
    const { exitCode, stderr } = await run('', RESULT, { ...BOTH, ...changes });
    expect(exitCode).toBe(2);
    expect(stderr.replace(/\s+/g, ' ')).toMatch(message);
  });

  test('says what was copied and what was there', async () => {
    expect((await run('')).stdout.split('\n')).toEqual([
      '  1a2b3c4d → 5e6f7a8b  21 Nov 2026 10:44 +00:00  db-2  /home/ann',
      '✔ Copied 1 snapshot: 412 MB in 1,200 pieces, 4.0 s (103 MB/s)',
      '  there before: 1 snapshot',
      '',
    ]);
    const planned = { ...RESULT, copied: [{ from: snapshotOf('1a2b3c4d') }], dryRun: true };
    expect((await run('--dry-run', planned)).stdout).toContain(
      '  1a2b3c4d  21 Nov 2026 10:44 +00:00  db-2  /home/ann\n✔ Would copy 1 snapshot: 412 MB',
    );
  });

  test('for programs each snapshot is a line', async () => {
    const lines = (await run('--json')).stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toMatchObject([
      { type: 'copied', from: idOf('1a2b3c4d'), to: idOf('5e6f7a8b'), hostname: 'db-2' },
      { type: 'present', from: idOf('aa'), to: idOf('bb') },
      { type: 'summary', copied: 1, present: 1, damaged: [], bytes: 412_000_000 },
    ]);
  });

  const leftOut = {
    severity: 'error',
    code: 'copy.snapshot-damaged',
    subject: 'snapshot cc000000',
    message: 'It was not copied.',
    affected: { total: 1, paths: ['snapshot cc000000:/a'] },
  } as const;

  test('ends with 3 when snapshots were left out, and names them even when it is quiet', async () => {
    const result = { ...RESULT, damaged: [snapshotOf('cc')], findings: [leftOut] };
    const { exitCode, stdout, stderr } = await run('--quiet', result);
    expect(exitCode).toBe(3);
    expect(stdout).toContain('✖ snapshot cc000000: It was not copied.\n    snapshot cc000000:/a');
    expect(stdout).toContain('left out: 1 snapshot');
    expect(stderr).toContain('1 snapshot could not be copied');
  });

  test('ends with 1 when what was written cannot be read back', async () => {
    const finding = { ...leftOut, code: 'pack.blob-damaged', subject: 'pack dd' };
    const { exitCode, stderr } = await run('--verify-sample 1%', { ...RESULT, findings: [finding] });
    expect(exitCode).toBe(1);
    expect(stderr).toContain('the target does not hold what was written to it');
  });
});
