import { Failure } from '@holdfast/engine';
import { beforeEach, describe, expect, it } from 'vitest';
import type { LoadedPolicy } from '../../control/current-policy.ts';
import { parsePolicy } from '../../policy/parse.ts';
import type { StepOutcome } from '../../queue/new-run.ts';
import type { TakenStep } from '../../queue/run-queue.ts';
import { checkCron } from '../../schedule/cron.ts';
import { UpStory } from './up-story.ts';

const NOW = Date.parse('2026-11-21T09:52:07Z');

let lines: string[];
let records: Readonly<Record<string, unknown>>[];
beforeEach(() => {
  lines = [];
  records = [];
});

describe('what a person reads of a control plane', () => {
  it('is in the time of the policy, a line for what came of a step', () => {
    const story = tell();
    story.began(step('snapshot', 'media', 'snapshot'));
    story.ended(step('snapshot', 'media', 'snapshot'), done('3 files, 9.0 MB'));
    expect(lines).toEqual(['16:52:07 ✔ snapshot media: 3 files, 9.0 MB']);
    expect(records).toMatchObject([{ event: 'began' }, { event: 'ended', summary: '3 files, 9.0 MB' }]);
  });

  it.each([
    ['survey', done('5 points')],
    ['check', done('structure whole')],
    ['forget', done('3 points kept, 0 forgotten')],
    ['prune', done('0 B freed')],
    ['copy', done('0 snapshots copied')],
  ])('is nothing of a %s that found nothing new, unless everything was asked for', (name, end) => {
    tell().ended(step('retention', 'main', name), end);
    expect(lines).toEqual([]);
    expect(records).toHaveLength(1);
    tell({ verbose: true }).ended(step('retention', 'main', name), end);
    expect(lines).toHaveLength(1);
  });

  it('is what a check found, what a prune freed, and what failed', () => {
    const story = tell();
    story.ended(step('check', 'main', 'check'), { ...done('1 error'), incomplete: true });
    story.ended(step('retention', 'main', 'prune'), done('2 MB freed', 2e6));
    const failure = { code: 'backend.denied', message: 'the disk is away', hint: 'Is it mounted?' };
    story.ended(step('survey', 'main', 'survey'), { state: 'failed', failure });
    expect(lines).toEqual([
      '16:52:07 ▲ check main: 1 error',
      '16:52:07 ✔ retention main: prune: 2 MB freed',
      '16:52:07 ✖ survey main: the disk is away\n           Is it mounted?',
    ]);
  });

  it('says at the start and after each change what the policy may not keep', () => {
    const story = tell();
    story.ready(900);
    story.policy('changed');
    story.policy(new Failure('usage', 'line 3 is wrong'));
    expect(lines).toEqual([
      'shop · 1 source, 1 repository · times in Asia/Ho_Chi_Minh, ready in 0.9 s',
      '▲ There is no second copy.\n  What to do about it: holdfast policy check',
      '16:52:07 the policy has changed and is gone by now: shop · 1 source, 1 repository · times in Asia/Ho_Chi_Minh',
      '▲ There is no second copy.\n  What to do about it: holdfast policy check',
      '16:52:07 ▲ the policy has changed and is refused, the old one stays: line 3 is wrong',
    ]);
    expect(records.filter(({ type }) => type === 'finding')).toHaveLength(2);
  });

  it('says who leads only when that is a surprise, and when a failed run is tried again', () => {
    const story = tell();
    story.ready(900);
    story.leading(true);
    story.leading(false);
    const run = { kind: 'snapshot', about: 'media', cause: 'retry', notBefore: NOW + 60_000 } as const;
    story.tick({ queued: [run, { ...run, cause: 'schedule' }], passedOver: [] });
    expect(lines.slice(2)).toEqual([
      '16:52:07 ▲ another control plane leads',
      '16:52:07 · snapshot media is tried again at 16:53:07',
    ]);
  });
});

function tell({ verbose = false } = {}): UpStory {
  const note = (line: string, told: readonly Readonly<Record<string, unknown>>[] = []) => {
    if (line !== '') lines.push(line);
    records.push(...told);
  };
  return new UpStory({ progress: { note }, now: () => NOW, loaded, verbose });
}

function loaded(): LoadedPolicy {
  const text = `
stack: shop
timezone: Asia/Ho_Chi_Minh
repositories: { main: { url: /a, password: { env: P } } }
sources: { media: { files: /srv/media } }`;
  const parsed = parsePolicy(text, { timezone: 'UTC', homeDirectory: '/root', checkCron });
  if (!('policy' in parsed)) throw new Error(JSON.stringify(parsed.problems));
  const doubt = { severity: 'warning', code: 'policy.no-offsite-copy', subject: 'media' } as const;
  return {
    policy: parsed.policy,
    text: { file: '/holdfast.yaml', text, hash: '1' },
    doubts: [{ ...doubt, message: 'There is no second copy.' }],
    since: 0,
  };
}

function step(kind: TakenStep['run']['kind'], about: string, name: string): TakenStep {
  const run = { id: '1', kind, about, repositories: ['main'], priority: 0, dueAt: 0, queuedAt: 0 };
  return {
    run: { ...run, cause: 'schedule', attempt: 1 },
    ordinal: 1,
    name,
    order: null,
    attempt: 1,
    before: [],
  };
}

function done(summary: string, bytes = 0): StepOutcome {
  return { state: 'done', result: { snapshots: [], bytes, added: 0, findings: [], summary } };
}
