/**
 * Copies all snapshots of the repository at argv[2] to the one at argv[3], and kills itself while it saves the
 * argv[4]th file there. Run by copy.test.ts.
 */
import { copySnapshots } from '../../engine/src/archive/copy/copy.ts';
import { openLocal } from '../../engine/src/backend/local/local.ts';
import { systemClock } from '../../engine/src/kernel/clock.ts';
import { openRepository } from '../../engine/src/repository/open.ts';

const [sourcePath, targetPath, fatal] = process.argv.slice(2) as [string, string, string];
const source = await openRepository(await openLocal({ path: sourcePath }), 'open sesame');
const local = await openLocal({ path: targetPath });
let left = Number(fatal);
const mortal = {
  ...local,
  save: async (...args: Parameters<typeof local.save>) => {
    const saving = local.save(...args);
    left -= 1;
    if (left === 0) process.kill(process.pid, 'SIGKILL');
    await saving;
  },
};
await copySnapshots(source, await openRepository(mortal, 'open sesame'), {
  clock: systemClock,
  random: Math.random,
  snapshots: await source.loadSnapshots(),
  packSize: 512 * 1024,
  threads: 2,
  signal: new AbortController().signal,
});
