import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { configurationLines, type Recovery, recoverySettings } from './recovery-settings.ts';

/** Read wherever postgresql.conf lies, and after it. */
const FILE = 'postgresql.auto.conf';
const FIRST = '# Written by Holdfast for this restore.\n';
const LAST = '# The end of what Holdfast wrote.\n';

/** Makes the next start of a server replay WAL to the target. */
export async function writeRecovery(directory: string, recovery: Recovery): Promise<void> {
  const lines = configurationLines(recoverySettings(recovery));
  await rewrite(directory, (before) => `${before}${FIRST}${lines}${LAST}`);
  await writeFile(path.join(directory, 'recovery.signal'), '', { mode: 0o600 });
}

/**
 * Takes the settings out again once a server has been promoted: it heeds targets no longer, but a later standby or
 * recovery of it would fetch WAL from a directory that is gone.
 */
export async function removeRecovery(directory: string): Promise<void> {
  await rewrite(directory, (before) => before);
}

async function rewrite(directory: string, change: (before: string) => string): Promise<void> {
  const name = path.join(directory, FILE);
  const before = await readFile(name, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  // In place: the file keeps its owner.
  await writeFile(name, change(withoutOurs(before)), { mode: 0o600 });
}

/** A server that was restored this way once and backed up before it was tidied has them in its base. */
function withoutOurs(text: string): string {
  let rest = text;
  for (;;) {
    const from = rest.indexOf(FIRST);
    const to = rest.indexOf(LAST, from);
    if (from === -1 || to === -1) return rest;
    rest = rest.slice(0, from) + rest.slice(to + LAST.length);
  }
}
