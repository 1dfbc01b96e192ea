import { expect, test } from 'vitest';
import { parseHtpasswd } from './htpasswd.ts';

const bcrypt = '$2y$05$cvRpPjYjBpSOp3tYvMx2kuDR7v5mVu5Ij1Gl9vnpZ4ibNDSfB5fre';
const sha = '{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=';

test('users are read, comments and empty lines are not', () => {
  const users = parseHtpasswd(`# ours\n\nanna:${bcrypt}\r\n  bert:${sha}\n`, 'users');
  expect([...users]).toEqual([
    ['anna', bcrypt],
    ['bert', sha],
  ]);
});

test.each([
  'anna',
  'anna:',
  `:${bcrypt}`,
  'anna:plain',
  'anna:$apr1$x$y',
  'anna:rqXexS6ZhobKA',
  `anna:${bcrypt.slice(1)}`,
])('a line that nobody could log in with is refused: %j', (line) => {
  expect(() => parseHtpasswd(`bert:${sha}\n${line}\n`, 'users')).toThrow('line 2 of the password file');
});

test('a file without users is refused', () => {
  expect(() => parseHtpasswd('# nobody yet\n', 'users')).toThrow('names no user');
});
