/** Writes what docs/ says of alerts in formats for programs; a unit test fails when it is stale. */

import { writeFile } from 'node:fs/promises';
import { webhookSchema } from '../app/src/alert/channel/webhook-body.ts';

await writeFile(new URL('../docs/alert-webhook.schema.json', import.meta.url), webhookSchema());
