/**
 * Backs the folder at argv[3] up into the repository at argv[2], is interrupted once five packs are saved, and writes to
 * stdout how that ended. It does not call exit. Run by backup-interrupt.test.ts.
 */
import { backupFiles } from '../../engine/src/archive/backup/backup.ts';
import type { Backend } from '../../engine/src/backend/backend.ts';
import { openLocal } from '../../engine/src/backend/local/local.ts';
import { systemClock } from '../../engine/src/kernel/clock.ts';
import { Failure, isFailure } from '../../engine/src/kernel/failure.ts';
import { openRepository } from '../../engine/src/repository/open.ts';

const [repositoryPath, tree] = process.argv.slice(2) as [string, string];
const controller = new AbortController();
const local = await openLocal({ path: repositoryPath });
let packs = 0;
const backend: Backend = {
  ...local,
  save: async (handle, data, signal) => {
    await local.save(handle, data, signal);
    if (handle.type === 'pack') packs += 1;
    if (packs === 5) controller.abort(new Failure('interrupted', 'the person had enough'));
  },
};
try {
  await backupFiles(await openRepository(backend, 'open sesame'), {
    clock: systemClock,
    paths: [tree],
    workingDirectory: '/',
    labels: {
      hostname: 'scene',
      username: '',
      uid: 0,
      gid: 0,
      tags: [],
      time: new Date().toISOString(),
      programVersion: 'holdfast',
    },
    selection: { patterns: [], patternsIgnoringCase: [], tagFiles: [] },
    packSize: 1024 * 1024,
    signal: controller.signal,
  });
} catch (error) {
  process.stdout.write(isFailure(error) ? `${error.code}: ${error.message}` : String(error));
}
