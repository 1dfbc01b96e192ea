import { describe, expect, test } from 'vitest';
import { postgresConfig } from '../../../sources/postgres/config.ts';
import { allCommands } from '../../../testing/all-commands.ts';
import { recordedContext } from '../../../testing/context.ts';
import { runProgram } from '../../program.ts';
import type { JournalSummary } from '../../render/journal.ts';
import type { JournalRequest } from './journal.ts';

const SUMMARY: JournalSummary = {
  flushed: '0/E900410',
  received: 228_000_000,
  slices: 2,
  waiting: 0,
  gaps: 0,
  spool: '/spool',
  milliseconds: 13_800,
};
const ACCESS = { HOLDFAST_REPOSITORY: '/repository', HOLDFAST_PASSWORD: 'secret' };

async function run(line: string, summary = SUMMARY) {
  const context = recordedContext({ environment: ACCESS });
  let request: JournalRequest | undefined;
  const registrations = allCommands({
    keepJournal: async (_access, given) => {
      request = given;
      return summary;
    },
  });
  const code = await runProgram(['postgres', 'journal', ...line.split(' ').filter(Boolean)], context, {
    version: '0',
    registrations,
  });
  return { code, request, written: context.written };
}

describe('holdfast postgres journal', () => {
  test('says at its end what was received, and whether something waits', async () => {
    const done = await run('--url postgres://u:pass@db/ --rpo 30s');
    expect(done.code).toBe(0);
    expect(done.request).toMatchObject({ rpo: 30_000, slot: 'holdfast', name: 'holdfast' });
    expect(done.request?.url).toBe('postgres://u:pass@db/');
    expect(done.written.stdout).toBe(
      'Stopped after 13.8 s: 228 MB received, durable up to 0/E900410, 2 slices in the repository\n',
    );
    const waiting = await run('--url postgres://u@db/', { ...SUMMARY, waiting: 3, gaps: 1 });
    expect(waiting.written.stdout).toMatch(/3 files in \/spool not yet in the repository/);
    expect(waiting.written.stdout).toMatch(/1 gap: take a new base backup/);
  });

  test('takes a base where one is missing unless it is told not to', async () => {
    const usual = await run('--url postgres://u@db/');
    expect(usual.request).toMatchObject({ baseAfterGap: true, checkpoint: 'fast' });
    const not = await run('--url postgres://u@db/ --no-base-after-gap --synchronous --max-rate 1024');
    expect(not.request).toMatchObject({ baseAfterGap: false, synchronous: true, maxRate: 1024 });
  });

  test('what can be said on the command line can be written down', async () => {
    const { written } = await run('--help');
    const [, ours = ''] = /The journal:\n(.*?)\n\n[^\n]*repository/is.exec(written.stdout) ?? [];
    const names = [...ours.matchAll(/^ *(?:-\w, )?--(?:no-)?([a-z-]+)/gm)].map(([, name = '']) =>
      name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase()),
    );
    // Done once, by hand, for a server that is gone; and what a policy says by the name of its source.
    const lasting = names.filter((name) => name !== 'drain' && name !== 'tag');
    const { journal, base } = postgresConfig.shape;
    const keys = [journal, base].flatMap((part) => Object.keys(part.unwrap().shape));
    expect(lasting.length).toBeGreaterThan(8);
    expect(keys).toEqual(expect.arrayContaining(lasting));
  });

  test.each([
    ['--url postgres://u@db/ --slot Not-One', /no name for a replication slot/],
    ['--url postgres://u@db/ --rpo 100ms', /a second at least/],
  ])('refuses "%s"', async (line, message) => {
    const { code, request, written } = await run(line);
    expect([code, request]).toEqual([2, undefined]);
    expect(written.stderr).toMatch(message);
  });
});
