import { describe, expect, it } from 'vitest';
import { parsePolicy } from '../policy/parse.ts';
import { checkCron } from '../schedule/cron.ts';
import { hasRates, journalRates, sharesOf } from './share-of-rates.ts';

const BASE = `
stack: shop
repositories:
  main: { url: /a, password: { env: P }, limits: { upload: 600kB/s } }
  offsite: { url: /b, password: { env: P }, limits: { upload: 100kB/s } }
sources:
  media: { files: /srv/media, to: main, snapshot: { every: 1h }, keep: { last: 1 }, limits: { upload: 200kB/s } }
  web: { files: /srv/web, to: main, snapshot: { every: 1h }, keep: { last: 1 } }
copies:
  - { from: main, to: offsite }
`;

describe('rates of a policy', () => {
  it('are shared by what is at work on a repository, and none gets more than its source may', () => {
    expect(shares(BASE, ['snapshot', 'media'], ['snapshot', 'web'])).toEqual([
      { main: { upload: 200_000 } },
      { main: { upload: 400_000 } },
    ]);
  });

  it('belong to one alone that has no company', () => {
    expect(shares(BASE, ['snapshot', 'web'])).toEqual([{ main: { upload: 600_000 } }]);
  });

  it('in all are shared by what works on different repositories', () => {
    const both = `${BASE}limits: { upload: 300kB/s, requests: 10 }`;
    expect(shares(both, ['snapshot', 'web'], ['check', 'offsite'])).toEqual([
      { main: { upload: 200_000, requests: 5 } },
      { offsite: { upload: 100_000, requests: 5 } },
    ]);
  });

  it('hold a copy to those of either side', () => {
    expect(shares(BASE, ['copy', 'main → offsite'])).toEqual([
      { main: { upload: 600_000 }, offsite: { upload: 100_000 } },
    ]);
  });

  it('hold a journal, which never shares, to the lowest of its own', () => {
    expect(journalRates(policyOf(`${BASE}limits: { upload: 150kB/s }`), 'media')).toEqual({
      main: { upload: 150_000 },
    });
  });

  it('are none where none were written', () => {
    expect(hasRates(policyOf(BASE))).toBe(true);
    expect(hasRates(policyOf(BASE.replaceAll(/, limits: {.*?}/g, '')))).toBe(false);
  });
});

function shares(text: string, ...running: [kind: 'snapshot' | 'check' | 'copy', about: string][]) {
  return sharesOf(
    policyOf(text),
    running.map(([kind, about]) => ({ kind, about })),
  );
}

function policyOf(text: string) {
  const parsed = parsePolicy(text, { timezone: 'UTC', homeDirectory: '/root', checkCron });
  if (!('policy' in parsed)) throw new Error(JSON.stringify(parsed.problems));
  return parsed.policy;
}
