import { expect, test } from 'vitest';
import type { LegalHold, Policy } from '../policy/model.ts';
import { NOW, shopPolicy } from '../testing/healthy-stack.ts';
import { copiedJournals } from './forget-held.ts';

function withHold(hold: LegalHold): Policy {
  const policy = shopPolicy();
  const sources = policy.sources.map((source) => (source.name === 'metadata' ? { ...source, hold } : source));
  return { ...policy, sources };
}

test.each<[string, Policy, string, string[]]>([
  ['of a copy’s target are those that it brings', shopPolicy(), 'offsite', ['metadata', 'media']],
  ['of where a source is kept are none: whoever rolls up forgets', shopPolicy(), 'main', []],
  ['under a legal hold are none', withHold({ reason: 'case 12' }), 'offsite', ['media']],
  ['under a hold that still stands are none', withHold({ reason: '', until: NOW + 1 }), 'offsite', ['media']],
  ['after a hold are there again', withHold({ reason: '', until: NOW }), 'offsite', ['metadata', 'media']],
])('journals whose needless slices go: %s', (_, policy, repository, sources) => {
  expect(copiedJournals(policy, repository, NOW)).toEqual(sources);
});
