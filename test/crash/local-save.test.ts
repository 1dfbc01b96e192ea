import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { createLocal, openLocal } from '../../engine/src/backend/local/local.ts';
import { sha256Id } from '../../engine/src/kernel/hash.ts';

const base = mkdtempSync(join(tmpdir(), 'holdfast-crash-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));

const SAVE_LOOP = fileURLToPath(new URL('save-loop.ts', import.meta.url));

/** Runs the loop and kills it the moment it has acknowledged `count` saves; returns all that it acknowledged. */
async function saveUntilKilled(path: string, count: number): Promise<string[]> {
  const child = spawn(process.execPath, [SAVE_LOOP, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (output.split('\n').length > count) child.kill('SIGKILL');
  });
  const [, signal] = await closed;
  expect(signal).toBe('SIGKILL');
  return output.split('\n').slice(0, -1);
}

test('however often a program is killed while saving, no half file shows and nothing acknowledged is missing', async () => {
  const path = join(base, 'repository');
  await createLocal({ path });
  const acknowledged = new Set<string>();
  for (let kill = 0; kill < 5; kill++) {
    for (const name of await saveUntilKilled(path, randomInt(1, 25))) acknowledged.add(name);

    const backend = await openLocal({ path });
    const found = new Set<string>();
    for await (const { name, size } of backend.list('pack')) {
      const bytes = await backend.load({ type: 'pack', name });
      expect(bytes.length).toBe(size);
      expect(sha256Id(bytes)).toBe(name);
      found.add(name);
    }
    expect(acknowledged.isSubsetOf(found)).toBe(true);
  }
  expect(acknowledged.size).toBeGreaterThanOrEqual(5);
}, 60_000);
