import { expect, test } from 'vitest';
import { recordedContext } from '../testing/context.ts';
import { chooseProgressMode, showProgress } from './progress-display.ts';

const sample = () => ({ phase: 'Reading', startedAt: 0, files: 1, bytes: 5, errors: 0, items: ['/a'] });
const loud = { json: false, quiet: false };

test.each([
  ['a terminal is redrawn', true, loud, 'redraw'],
  ['a pipe gets lines', false, loud, 'lines'],
  ['a program gets JSON', true, { json: true, quiet: false }, 'json'],
  ['--quiet says nothing', true, { json: false, quiet: true }, 'none'],
  ['--quiet leaves a program what happens', true, { json: true, quiet: true }, 'events'],
])('%s', (_name, interactive, globals, mode) => {
  expect(chooseProgressMode(recordedContext({}, { interactive }), globals)).toBe(mode);
});

test('on a terminal it is drawn at most ten times a second and erased at the end', async () => {
  const context = recordedContext({}, { interactive: true, columns: 80 });
  const display = showProgress(context, 'redraw');
  display.watch(sample);
  await context.clock.advance(1000);
  await display.stop();
  expect(context.written.stderr.match(/Reading/g)).toHaveLength(10);
  expect(context.written.stderr).toMatch(/\r\x1b\[3A\x1b\[J$/);
});

test('a note stays above what is redrawn', async () => {
  const context = recordedContext({}, { interactive: true });
  const display = showProgress(context, 'redraw');
  display.watch(sample);
  await context.clock.advance(100);
  display.note('cannot read /b');
  await display.stop();
  expect(context.written.stderr).toMatch(/\x1b\[3A\x1b\[Jcannot read \/b\n$/);
});

test('Ctrl-C is answered at once: the work may need a moment to stop', async () => {
  const controller = new AbortController();
  const context = recordedContext({ signal: controller.signal }, { interactive: true });
  const display = showProgress(context, 'redraw');
  display.watch(sample);
  await context.clock.advance(100);
  controller.abort();
  expect(context.written.stderr).toMatch(/\x1b\[JStopping cleanly.*\n$/);
  await display.stop();
});

test('in a log the first line comes after ten seconds, then one every ten seconds', async () => {
  const context = recordedContext();
  const display = showProgress(context, 'lines');
  display.watch(sample);
  await context.clock.advance(9_999);
  expect(context.written.stderr).toBe('');
  await context.clock.advance(20_001);
  await display.stop();
  expect(context.written.stderr.split('\n').filter((line) => line !== '')).toHaveLength(3);
});

test('a program gets a status line a second on its standard output', async () => {
  const context = recordedContext();
  const display = showProgress(context, 'json');
  display.watch(sample);
  await context.clock.advance(3500);
  await display.stop();
  const lines = context.written.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.map((line) => line.type)).toEqual(['status', 'status', 'status']);
});

test('a program gets what happens as records, a person as a line', async () => {
  const records = [{ type: 'event', event: 'streaming' }, { type: 'finding' }];
  for (const mode of ['json', 'events'] as const) {
    const context = recordedContext();
    const display = showProgress(context, mode);
    display.watch(sample);
    display.note('Streaming', records);
    display.note('no record of it');
    await display.stop();
    expect(context.written.stdout).toBe(records.map((record) => `${JSON.stringify(record)}\n`).join(''));
    expect(context.written.stderr).toBe('no record of it\n');
  }
  const context = recordedContext();
  const display = showProgress(context, 'lines');
  display.note('Streaming', records);
  await display.stop();
  expect([context.written.stdout, context.written.stderr]).toEqual(['', 'Streaming\n']);
});

test('with --quiet a program gets no status', async () => {
  const context = recordedContext();
  const display = showProgress(context, 'events');
  display.watch(sample);
  await context.clock.advance(60_000);
  await display.stop();
  expect(context.written.stdout).toBe('');
});

test('after the end nothing is drawn any more', async () => {
  const context = recordedContext();
  const display = showProgress(context, 'lines');
  display.watch(sample);
  await display.stop();
  await context.clock.advance(60_000);
  expect(context.written.stderr).toBe('');
});
