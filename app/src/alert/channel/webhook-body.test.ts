import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { webhookSchema } from './webhook-body.ts';

test('the published schema of a webhook is the one that is sent by (else: ./dev run scripts/write-alert-docs.ts)', async () => {
  const published = new URL('../../../../docs/alert-webhook.schema.json', import.meta.url);
  expect(await readFile(published, 'utf8')).toBe(webhookSchema());
});
