import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { admit, type RunClaim } from './admission.ts';

const HOUR = 3_600_000;
const NOW = 1_000 * HOUR;
const limits = { runs: 4, perSource: 1, perRepository: 2 };

function claim(id: string, overrides: Partial<RunClaim> = {}): RunClaim {
  return {
    id,
    kind: 'snapshot',
    about: id,
    source: id,
    repositories: ['main'],
    priority: 'P2',
    dueAt: NOW,
    ...overrides,
  };
}

function ids(runs: readonly RunClaim[]): string[] {
  return runs.map(({ id }) => id);
}

describe('which runs may start', () => {
  it('is limited in all, for each source and for each repository', () => {
    const many = ['a', 'b', 'c', 'd', 'e', 'f'].map((id, index) =>
      claim(id, { repositories: [`repository ${index % 3}`] }),
    );
    expect(ids(admit(many, [], limits, NOW))).toEqual(['a', 'b', 'c', 'd']);
    expect(ids(admit([claim('a'), claim('b'), claim('c')], [], limits, NOW))).toEqual(['a', 'b']);
    expect(ids(admit([claim('b', { source: 'a' })], [claim('a')], limits, NOW))).toEqual([]);
    expect(ids(admit([claim('b', { source: 'a' })], [claim('a')], { ...limits, perSource: 2 }, NOW))).toEqual(
      ['b'],
    );
  });

  it('never has two of the same at once, running or about to', () => {
    const again = { kind: 'check', about: 'main' };
    const wide = { runs: 9, perSource: 9, perRepository: 9 };
    expect(ids(admit([claim('b', again)], [claim('a', again)], wide, NOW))).toEqual([]);
    expect(ids(admit([claim('a', again), claim('b', again)], [], wide, NOW))).toEqual(['a']);
  });

  it('begins with what is most important, then with what is oldest', () => {
    const waiting = [
      claim('late', { priority: 'P3', dueAt: NOW - HOUR / 2 }),
      claim('first', { priority: 'P1' }),
      claim('older', { dueAt: NOW - HOUR / 2 }),
      claim('younger'),
    ];
    expect(ids(admit(waiting, [], { ...limits, perRepository: 4 }, NOW))).toEqual([
      'first',
      'older',
      'younger',
      'late',
    ]);
  });

  it('lets a run that has waited for hours go before a fresh one that matters more', () => {
    const waiting = [
      claim('fresh', { priority: 'P1' }),
      claim('old', { priority: 'P3', dueAt: NOW - 2 * HOUR }),
    ];
    expect(ids(admit(waiting, [], { ...limits, runs: 1 }, NOW))).toEqual(['old']);
  });

  it('keeps a retry back until its time, and does not count that as waiting', () => {
    const retry = claim('retry', { priority: 'P3', dueAt: NOW - 5 * HOUR, notBefore: NOW + 1 });
    expect(admit([retry], [], limits, NOW)).toEqual([]);
    const waiting = [{ ...retry, notBefore: NOW }, claim('fresh', { priority: 'P1' })];
    expect(ids(admit(waiting, [], { ...limits, runs: 1 }, NOW))).toEqual(['fresh']);
  });

  it('keeps a place for a copy that needs two repositories and never finds both free', () => {
    const copy = claim('copy', { kind: 'copy', repositories: ['main', 'offsite'], dueAt: NOW - HOUR });
    const running = [claim('x', { repositories: ['offsite'] })];
    const narrow = { ...limits, perRepository: 1 };
    expect(ids(admit([copy, claim('a')], running, narrow, NOW))).toEqual([]);
    expect(ids(admit([{ ...copy, dueAt: NOW - HOUR / 2 }, claim('a')], running, narrow, NOW))).toEqual(['a']);
  });

  it('starves nobody, whatever else comes', () => {
    const kind = fc.record({
      repositories: fc.subarray(['main', 'offsite'], { minLength: 1 }),
      source: fc.constantFrom('a', 'b', 'c'),
      priority: fc.constantFrom('P1' as const, 'P2' as const),
      length: fc.integer({ min: 1, max: 4 }),
    });
    const load = { minLength: 3, maxLength: 8 };
    fc.assert(
      fc.property(fc.array(kind, load), fc.integer({ min: 1, max: 3 }), (kinds, runs) => {
        const narrow = { runs, perSource: 1, perRepository: 1 };
        const patient = claim('patient', { repositories: ['main', 'offsite'], priority: 'P3' });
        let waiting: RunClaim[] = [patient];
        let running: { run: RunClaim; until: number }[] = [];
        for (let step = 0; step < 400; step += 1) {
          const now = NOW + step * (HOUR / 4);
          running = running.filter(({ until }) => until > step);
          // Each kind comes again as soon as it is not waiting any more: more than there ever is room for.
          for (const [index, { length: _, ...needs }] of kinds.entries()) {
            const about = `work ${index}`;
            if (!waiting.some((run) => run.about === about)) {
              waiting.push(claim(`${about}.${step}`, { ...needs, about, dueAt: now }));
            }
          }
          const started = admit(
            waiting,
            running.map(({ run }) => run),
            narrow,
            now,
          );
          if (started.includes(patient)) return;
          waiting = waiting.filter((run) => !started.includes(run));
          for (const run of started) {
            const length = kinds[Number(run.about.slice(5))]?.length ?? 1;
            running.push({ run, until: step + length });
          }
        }
        expect.fail('it was never let in');
      }),
    );
  });
});
