import { Failure } from '@holdfast/engine';
import { describe, expect, test } from 'vitest';
import { failureFrom, failureLine, renderFailure } from './failure-report.ts';
import { styleFor } from './style.ts';
import { displayWidth } from './width.ts';

const options = { operation: 'files backup', width: 100, style: styleFor({ colour: false }), debug: false };
const quiet = new AbortController().signal;

describe('a failure is told to a person', () => {
  test('with what stopped, why, on what, what to do and where to read more', () => {
    const failure = new Failure('repository.missing', 'there is no repository here', {
      subject: '/srv/backup',
      hint: 'Is the disk mounted?',
    });
    expect(renderFailure(failure, options)).toEqual([
      '✖ files backup stopped: there is no repository here                     repository.missing (exit 10)',
      '  /srv/backup',
      '  Is the disk mounted?   More: holdfast help repository.missing',
    ]);
  });

  test('in a narrow window everything still fits', () => {
    const failure = new Failure('backend.denied', 'the storage refused to list the folder of the snapshots', {
      subject: '/srv',
      hint: 'Does the user who runs this own the directory? Files written by root earlier are a common reason.',
    });
    const lines = renderFailure(failure, { ...options, width: 40 });
    for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(40);
    expect(lines.join('\n')).toContain('backend.denied (exit 1)');
    expect(lines.at(-1)).toBe('  More: holdfast help backend.denied');
  });

  test('a name in the message cannot steer the terminal', () => {
    const failure = new Failure('source.missing', 'there is no \x1b[2Jfile', { subject: 'a\nb' });
    expect(renderFailure(failure, options).join('|')).not.toMatch(/\p{Control}/u);
  });

  test('what was only misspelt did not start, what lacks files is incomplete', () => {
    expect(renderFailure(new Failure('usage', 'x'), options)[0]).toContain('files backup did not start: x');
    expect(renderFailure(new Failure('incomplete', 'x'), options)[0]).toContain(
      'files backup is incomplete: x',
    );
  });

  test('with HOLDFAST_DEBUG the origin and its causes are shown', () => {
    const failure = failureFrom(new Error('outer', { cause: new Error('inner') }), quiet);
    const text = renderFailure(failure, { ...options, debug: true }).join('\n');
    expect(text).toContain('failure-report.test.ts');
    expect(text).toContain('because of Error: inner');
    expect(renderFailure(failure, options).join('\n')).not.toContain('failure-report.test.ts');
  });
});

describe('whatever is thrown becomes a failure', () => {
  test('a failure stays what it is', () => {
    const failure = new Failure('backend.full', 'no space');
    expect(failureFrom(failure, quiet)).toBe(failure);
  });

  test.each([new TypeError('x is undefined'), 'a text', undefined])(
    '%s is internal, with a way to see more',
    (thrown) => {
      const failure = failureFrom(thrown, quiet);
      expect(failure.code).toBe('internal');
      expect(failure.hint).toContain('HOLDFAST_DEBUG=1');
    },
  );

  test('an abort is told by its reason', () => {
    const reason = new Failure('interrupted', 'stopped');
    const abort = Object.assign(new Error('aborted'), { name: 'AbortError' });
    expect(failureFrom(abort, AbortSignal.abort(reason))).toBe(reason);
    expect(failureFrom(abort, quiet).code).toBe('internal');
  });
});

test('a program gets one line with the code, the exit code and whether to try again', () => {
  const failure = new Failure('repository.locked', 'somebody else works here', { subject: '/srv' });
  expect(JSON.parse(failureLine(failure, 'repo prune'))).toEqual({
    type: 'error',
    code: 'repository.locked',
    exitCode: 11,
    retry: true,
    operation: 'repo prune',
    message: 'somebody else works here',
    subject: '/srv',
  });
});
