import { describe, expect, test } from 'vitest';
import { parseRoute } from './route.ts';
import { refusalOf } from './rules.ts';

const id = 'ab'.repeat(32);
const OPEN = { appendOnly: false, privateRepositories: false };

function statusOf(line: string, rules: Partial<typeof OPEN> = {}, user?: string): number {
  const [method = '', target = ''] = line.split(' ');
  return refusalOf({ route: parseRoute(target)!, method, user }, { ...OPEN, ...rules })?.status ?? 200;
}

test.each(['GET', 'HEAD', 'POST', 'DELETE'])('a file can be asked for with %s', (method) => {
  expect(statusOf(`${method} /data/${id}`)).toBe(200);
});

test.each([
  'PUT /config',
  'GET /',
  'POST /',
  'DELETE /?create=true',
  'POST /data/',
  'DELETE /data/',
  'PATCH /keys/',
])('%s is not part of the protocol', (line) => {
  expect(statusOf(line)).toBe(405);
});

describe('an append-only server', () => {
  test.each(['config', `data/${id}`, `keys/${id}`, `index/${id}`, `snapshots/${id}`])(
    'lets nobody remove %s',
    (file) => {
      expect(statusOf(`DELETE /anna/${file}`, { appendOnly: true })).toBe(403);
    },
  );

  test('lets locks go, and takes what is new', () => {
    expect(statusOf(`DELETE /anna/locks/${id}`, { appendOnly: true })).toBe(200);
    expect(statusOf(`POST /anna/data/${id}`, { appendOnly: true })).toBe(200);
  });
});

describe('with private repositories a user', () => {
  const own = { privateRepositories: true };

  test('has the folder of that name and what is below it', () => {
    for (const place of ['/anna/', '/anna/laptop/']) {
      expect(statusOf(`GET ${place}data/`, own, 'anna')).toBe(200);
      expect(statusOf(`POST ${place}?create=true`, own, 'anna')).toBe(200);
    }
  });

  test.each(['/', '/bert/', '/annabel/', '/Anna/'])('has nothing in %s', (place) => {
    expect(statusOf(`GET ${place}data/`, own, 'anna')).toBe(403);
    expect(statusOf(`POST ${place}?create=true`, own, 'anna')).toBe(403);
  });
});
