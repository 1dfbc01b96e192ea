import { Failure, type RetryNotice } from '@holdfast/engine';
import { expect, test } from 'vitest';
import { manualClock } from '../testing/manual-clock.ts';
import { tellRetries } from './retry-story.ts';

const notice = (failures: number): RetryNotice => ({
  call: 'save',
  subject: 'pack 1a2b3c4d',
  failure: new Failure('backend.unreachable', 'Could not save pack 1a2b3c4d: ECONNRESET.'),
  failures,
  wait: 1500,
});

test('one bad moment is not told; a second one is, with the reason and the next try', () => {
  const lines: string[] = [];
  const tell = tellRetries('s3:https://host/bucket', manualClock(), (line) => lines.push(line));
  tell(notice(1));
  expect(lines).toEqual([]);
  tell(notice(2));
  expect(lines).toEqual([
    '▲ s3:https://host/bucket does not answer as it should: Could not save pack 1a2b3c4d: ECONNRESET. Next try in 1.5 s',
  ]);
});

test('calls that fail together are one line', () => {
  const lines: string[] = [];
  const tell = tellRetries('rest:https://host/', manualClock(), (line) => lines.push(line));
  for (let call = 0; call < 8; call++) tell(notice(2));
  expect(lines).toHaveLength(1);
});
