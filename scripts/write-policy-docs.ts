/**
 * Writes docs/policy.md and docs/policy.schema.json from the schema that reads a policy.
 *
 * Run after each change of it: `./dev run scripts/write-policy-docs.ts`. A unit test fails while they are stale.
 */
import { writeFileSync } from 'node:fs';
import { policyDocs } from './policy-docs.ts';

for (const { file, text } of policyDocs()) writeFileSync(file, text);
