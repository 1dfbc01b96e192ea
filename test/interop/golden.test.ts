import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { restic } from '../servers/restic.ts';
import { testWith } from '../servers/test-with.ts';

const execute = promisify(execFile);
const golden = fileURLToPath(new URL('../fixtures/golden', import.meta.url));
const withRestic = testWith(restic);

// What our reader is measured against must be whole in the eyes of the program that the format belongs to.
withRestic.for(['r019-v1', 'r019-v2', 'r019-v2-max', 'r014-v2'])(
  'stock restic finds no error in the golden repository %s',
  async (name, { server }) => {
    const scratch = await mkdtemp(path.join(tmpdir(), 'holdfast-golden-'));
    try {
      await execute('tar', ['-xzf', path.join(golden, `${name}.tar.gz`), '-C', scratch]);
      const { stdout } = await execute(
        server.path,
        ['--repo', path.join(scratch, name), '--no-cache', 'check', '--read-data'],
        { env: { ...process.env, RESTIC_PASSWORD: 'golden' } },
      );
      expect(stdout).toContain('no errors were found');
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  },
);
