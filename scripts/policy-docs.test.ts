import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { policyDocs } from './policy-docs.ts';

test('the pages about policies say what the schema says (else: ./dev run scripts/write-policy-docs.ts)', () => {
  for (const { file, text } of policyDocs()) expect(readFileSync(file, 'utf8')).toBe(text);
});
