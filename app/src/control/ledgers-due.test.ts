import { expect, test } from 'vitest';
import { type LedgerFacts, ledgersDue } from './ledgers-due.ts';

const NOW = 1_000_000;
const EVERY = 1000;

test.each<[string, Partial<LedgerFacts>, boolean]>([
  ['is due where there is none: the policy is in it', { written: new Map() }, true],
  ['is due when something happened since and the last one is old', { changedAt: NOW - EVERY }, true],
  [
    'waits while the last one is young',
    { written: new Map([['main', NOW - EVERY + 1]]), changedAt: NOW },
    false,
  ],
  ['is not due when nothing happened since', { changedAt: NOW - EVERY - 1 }, false],
  ['is not due when nothing has ever happened', { changedAt: undefined }, false],
  ['is due again at the end, however young the last one is', { changedAt: NOW - EVERY, every: 0 }, true],
  ['that was written in the future counts for nothing', { written: new Map([['main', NOW + 1]]) }, true],
])('a ledger %s', (_, changes, due) => {
  const written = new Map([['main', NOW - EVERY]]);
  const facts = { repositories: ['main'], written, changedAt: undefined, now: NOW, every: EVERY, ...changes };
  expect(ledgersDue(facts)).toEqual(due ? ['main'] : []);
});
