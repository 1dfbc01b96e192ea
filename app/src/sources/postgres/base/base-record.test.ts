import { expect, test } from 'vitest';
import { baseRecord } from './base-record.ts';

const earlier = {
  version: 1,
  systemId: '7394823948239482394',
  major: 16,
  settings: { server_version: '16.4' },
  start: { lsn: '0/2000028', timeline: 1 },
  end: { lsn: '0/2000100', timeline: 1 },
  tablespaces: [],
  startedAt: '2026-01-01T00:00:00.000Z',
  endedAt: '2026-01-01T00:00:01.000Z',
  owner: { uid: 999, gid: 999 },
  server: 'postgres://backup@db-1:5432/shop',
  role: 'backup',
};

test('a record of before findings were kept is read, and has none', () => {
  expect(baseRecord.parse(earlier)).toEqual({ ...earlier, findings: [] });
});

test('a record of a later version of this program is read as far as it is understood', () => {
  const finding = { severity: 'note', code: 'c', subject: 's', message: 'm' };
  const later = { ...earlier, weather: 'fair', findings: [{ ...finding, colour: 'red' }] };
  expect(baseRecord.parse(later)).toEqual({ ...earlier, findings: [finding] });
  expect(baseRecord.safeParse({ ...earlier, version: 2 }).success).toBe(false);
});
