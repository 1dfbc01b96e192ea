/**
 * Backs the folder at argv[3] up into the repository at argv[2] as an ordinary user, and writes what came of it to stdout
 * as JSON. Run as root by backup-large.test.ts.
 */
import { basename, dirname } from 'node:path';
import { backupFiles } from '../../engine/src/archive/backup/backup.ts';
import type { ScanProblem } from '../../engine/src/archive/backup/protocol.ts';
import { openLocal } from '../../engine/src/backend/local/local.ts';
import { systemClock } from '../../engine/src/kernel/clock.ts';
import { openRepository } from '../../engine/src/repository/open.ts';

const NOBODY = 65534;
const [repositoryPath, tree] = process.argv.slice(2) as [string, string];
const repository = await openRepository(await openLocal({ path: repositoryPath }), 'open sesame');
process.setgroups?.([]);
process.setgid?.(NOBODY);
process.setuid?.(NOBODY);

const problems: ScanProblem[] = [];
const { snapshot, incomplete } = await backupFiles(repository, {
  clock: systemClock,
  paths: [basename(tree)],
  workingDirectory: dirname(tree),
  labels: {
    hostname: 'scene',
    username: 'nobody',
    uid: NOBODY,
    gid: NOBODY,
    tags: [],
    time: new Date().toISOString(),
    programVersion: 'holdfast',
  },
  selection: { patterns: [], patternsIgnoringCase: [], tagFiles: [] },
  onProblem: (problem) => problems.push(problem),
});
process.stdout.write(JSON.stringify({ problems, incomplete, snapshot: snapshot?.id }));
