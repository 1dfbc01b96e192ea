import type { BlobRepairPlan, RepairPlan } from '@holdfast/engine';
import { describe, expect, test } from 'vitest';
import { allCommands, type CommandParts } from '../../../../testing/all-commands.ts';
import { recordedContext } from '../../../../testing/context.ts';
import { idOf } from '../../../../testing/snapshots.ts';
import { runProgram } from '../../../program.ts';
import type { PlanRepair, RepairRequest } from '../../../repair-frame.ts';
import type { RepositoryAccess } from '../../../repository-options.ts';

const environment = { HOLDFAST_REPOSITORY: '/srv/backup', HOLDFAST_PASSWORD: 'correct horse' };
const [PACK, BLOB] = [idOf('pack'), idOf('blob')];

const index = {
  idle: true,
  unreadable: [],
  added: [],
  corrected: [],
  gone: [],
  findings: [],
  headersRead: 0,
};
const blobs: BlobRepairPlan = {
  damagedPacks: [{ id: PACK, size: 5_000_000, intact: 14, damaged: 3 }],
  wanted: 3,
  found: [{ source: '/srv/copy', blobs: 3 }],
  lost: [],
  affected: { total: 0, paths: [] },
  findings: [],
};
const repairable: RepairPlan = { idle: false, index, blobs };
const hopeless: RepairPlan = {
  idle: false,
  index,
  blobs: {
    ...blobs,
    found: [],
    lost: [{ type: 'data', id: BLOB }],
    affected: { total: 12, paths: ['snapshot 1a2b3c4d:/home/ann/letter'] },
  },
};

interface Asked {
  access?: RepositoryAccess;
  request?: RepairRequest;
  executed: number;
}

async function run(words: string, plan: RepairPlan, more: Record<string, string> = {}) {
  const asked: Asked = { executed: 0 };
  const planRepair: PlanRepair = async (access, request) => {
    Object.assign(asked, { access, request });
    return {
      plan,
      execute: async () => {
        asked.executed += 1;
        return { saved: 17, refused: 0, milliseconds: 80 };
      },
      [Symbol.asyncDispose]: async () => undefined,
    };
  };
  const context = recordedContext({ environment: { ...environment, ...more } });
  const parts: Partial<CommandParts> = { planRepair };
  const exitCode = await runProgram(words.split(' '), context, {
    version: '1.2.3',
    registrations: allCommands(parts),
  });
  return { exitCode, asked, ...context.written };
}

describe('a repair', () => {
  test('prints its plan, then does it once', async () => {
    const { exitCode, stdout, asked } = await run('repo repair --from /srv/copy', repairable);
    expect([exitCode, asked.executed]).toEqual([0, 1]);
    expect(stdout).toContain('1 damaged pack: 14 intact pieces written anew, 3 cannot be read');
    expect(stdout).toContain('3 lost pieces from /srv/copy');
    expect(stdout).toContain('17 pieces saved anew');
    expect(asked.request?.from.map(({ location }) => location)).toEqual(['/srv/copy']);
  });

  test('does nothing in a dry run', async () => {
    const { exitCode, asked } = await run('repo repair --dry-run', repairable);
    expect([exitCode, asked.executed]).toEqual([0, 0]);
  });

  test('ends with 1 when something stays lost, and tells what that costs', async () => {
    const { exitCode, stdout, stderr, asked } = await run('repo repair', hopeless);
    expect([exitCode, asked.executed]).toEqual([1, 1]);
    expect(stdout).toContain('snapshot 1a2b3c4d:/home/ann/letter');
    expect(stdout).toContain('and 11 more');
    expect(stderr).toContain('repo repair found damage: 1 piece that points need');
  });

  test('tells programs the packs by name', async () => {
    const { stdout } = await run('repo repair --json', repairable);
    const [plan, summary] = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(plan).toMatchObject({ type: 'plan', idle: false, blobs: { damagedPacks: [{ id: PACK }] } });
    expect(summary).toEqual({ type: 'summary', saved: 17, refused: 0, milliseconds: 80 });
  });

  test('opens a copy with the password of the repository unless it has one of its own', async () => {
    const same = await run('repo repair --from /srv/copy', repairable);
    expect(same.asked.request?.from[0]?.password.reveal()).toBe('correct horse');
    const own = await run('repo repair --from /srv/copy --from-password-command echo\tstaple', repairable);
    expect(own.asked.access?.password.reveal()).toBe('correct horse');
    expect(own.asked.request?.from[0]?.password.reveal()).toBe('staple');
    const set = await run('repo repair --from /srv/copy', repairable, { HOLDFAST_FROM_PASSWORD: 'battery' });
    expect(set.asked.request?.from[0]?.password.reveal()).toBe('battery');
  });

  test('of a part is told by the name of that part when it fails', async () => {
    const { stderr, asked } = await run('repo repair packs', hopeless);
    expect(asked.request).toMatchObject({ scope: 'all', readData: true, from: [] });
    expect(stderr).toContain('repo repair packs found damage');
  });

  test('of the index alone looks at no piece', async () => {
    const { exitCode, stdout, asked } = await run('repo repair index --read-all', { idle: true, index });
    expect([exitCode, asked.executed]).toEqual([0, 0]);
    expect(asked.request).toMatchObject({ scope: 'index', readAll: true });
    expect(stdout).toContain('nothing to repair');
  });
});
