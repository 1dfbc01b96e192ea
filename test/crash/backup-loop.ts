/**
 * Backs the folder at argv[3] up into the local repository at argv[2] again and again until it is killed, changing the
 * folder in between, and writes each snapshot's id and the round it shows to stdout once it is acknowledged. Run by
 * backup.test.ts.
 */
import { writeSync } from 'node:fs';
import { backupFiles } from '../../engine/src/archive/backup/backup.ts';
import { openLocal } from '../../engine/src/backend/local/local.ts';
import { systemClock } from '../../engine/src/kernel/clock.ts';
import { openRepository } from '../../engine/src/repository/open.ts';
import { changeTree } from './changing-tree.ts';

const [repositoryPath, tree, cacheDirectory, firstRound] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
];
const repository = await openRepository(await openLocal({ path: repositoryPath }), 'open sesame');

for (let round = Number(firstRound); ; round += 1) {
  changeTree(tree, round);
  writeSync(1, `begun ${round}\n`);
  const { snapshot } = await backupFiles(repository, {
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
    cacheDirectory,
    packSize: 1024 * 1024,
    workers: 2,
  });
  writeSync(1, `saved ${round} ${snapshot?.id}\n`);
}
