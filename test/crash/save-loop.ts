/**
 * Saves packs into the local repository at argv[2] until it is killed, four at a time, and writes each id to stdout
 * once its save has resolved. Run by local-save.test.ts.
 */
import { randomBytes, randomInt } from 'node:crypto';
import { writeSync } from 'node:fs';
import { openLocal } from '../../engine/src/backend/local/local.ts';
import { sha256Id } from '../../engine/src/kernel/hash.ts';

const backend = await openLocal({ path: process.argv[2] as string });

async function saveForEver(): Promise<never> {
  for (;;) {
    const data = randomBytes(randomInt(2_000_000));
    const name = sha256Id(data);
    await backend.save({ type: 'pack', name }, data);
    writeSync(1, `${name}\n`);
  }
}

await Promise.all(Array.from({ length: 4 }, saveForEver));
