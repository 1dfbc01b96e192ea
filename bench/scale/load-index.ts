/**
 * Loads the index of a repository, in a process of its own, and prints how many seconds that took:
 *
 *     node --conditions=source bench/scale/load-index.ts REPOSITORY [CACHE]
 */
import { openLocal } from '../../engine/src/backend/local/local.ts';
import { systemClock as clock } from '../../engine/src/kernel/clock.ts';
import { openRepository } from '../../engine/src/repository/open.ts';
import { PASSWORD } from './large-repository.ts';

const [location = '', directory] = process.argv.slice(2);
const opened = await openRepository(await openLocal({ path: location }), PASSWORD);
const repository = directory === undefined ? opened : opened.with({ localCache: { directory, clock } });
const started = performance.now();
const { index } = await repository.loadIndex();
const seconds = (performance.now() - started) / 1000;
process.stdout.write(`${seconds.toFixed(2)} s for ${index.table.size} blobs\n`);
await opened.backend.close();
