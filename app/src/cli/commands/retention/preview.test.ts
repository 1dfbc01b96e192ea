import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import type { Point } from '../../../catalog/records.ts';
import { expiries, previewRetention } from '../../../retention/preview-retention.ts';
import type { RetentionInput } from '../../../retention/retention-input.ts';
import { recordedContext } from '../../../testing/context.ts';
import type { PreviewedSource } from '../../render/retention.ts';
import { define, type RetentionPreviewRequest } from './preview.ts';

const DAY = 86_400_000;

function night(index: number, now: number): Point {
  const snapshot = `${index}`.repeat(64);
  const time = now - index * DAY;
  return {
    repository: 'main',
    snapshot,
    original: snapshot,
    source: 'media',
    kind: 'snapshot',
    time,
    bytes: 1,
    added: 1,
    complete: true,
  };
}

async function run(words: string[], changes: Partial<RetentionInput> = {}) {
  const context = recordedContext();
  const now = context.clock.now();
  let asked: RetentionPreviewRequest | undefined;
  const program = new Command();
  define(program, context, async (request): Promise<PreviewedSource[]> => {
    asked = request;
    const input: RetentionInput = {
      points: [1, 2, 3].map((index) => night(index, now)),
      rules: { for: 3 * DAY },
      holds: [],
      findings: [],
      now,
      timezone: 'UTC',
      ...changes,
    };
    const options = {
      until: request.on ?? now,
      schedule: { when: { kind: 'every', interval: DAY }, jitter: 0, missed: 'once' },
    } as const;
    const shown = previewRetention(input, options);
    const goings = expiries(input, { ...options, until: now + 10 * DAY });
    return [{ source: 'media', repository: 'main', preview: shown, expiries: goings }];
  });
  await program.parseAsync(['preview', ...words], { from: 'user' });
  return { asked, stdout: context.written.stdout };
}

describe('holdfast retention preview', () => {
  test('shows what stays, why, and when it goes at the earliest', async () => {
    const { asked, stdout } = await run(['media']);
    expect(asked?.source).toBe('media');
    expect(stdout).toBe(
      [
        'media at main · now',
        '   point     taken                                 goes, at the earliest     why',
        '✔  22222222  19 Nov 2026 10:52 +00:00  2 days ago  22 Nov 2026 10:52 +00:00  younger than 3 d',
        '✔  11111111  20 Nov 2026 10:52 +00:00  1 day ago   23 Nov 2026 10:52 +00:00  …3 d, newest good point',
        '2 points kept; 1 point of today gone by then',
        '',
      ].join('\n'),
    );
  });

  test('marks what the schedule will have added by a day to come', async () => {
    const { stdout } = await run(['--on', '2026-11-23 00:00', '--json']);
    const { kept, removed } = JSON.parse(stdout);
    expect(kept.map(({ expected, time }: { expected: boolean; time: string }) => [expected, time])).toEqual([
      [true, '2026-11-23T00:00:00.000Z'],
      [true, '2026-11-22T00:00:00.000Z'],
      [false, '2026-11-20T10:52:00.000Z'],
    ]);
    expect(removed.map(({ at }: { at: string }) => at)).toEqual([
      '2026-11-21T10:52:00.000Z',
      '2026-11-22T10:52:00.000Z',
    ]);
  });

  test('says why nothing would go', async () => {
    const { stdout } = await run([], { doubt: 'the catalog is not complete' });
    expect(stdout).toContain('✖ Nothing would be removed: the catalog is not complete');
  });
});
