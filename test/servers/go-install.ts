import { execFile } from 'node:child_process';
import { access, mkdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Obtained, Unavailable } from './server.ts';

const execute = promisify(execFile);

export interface GoProgram {
  readonly name: string;
  /** As `go install` takes it, with the exact version. */
  readonly module: string;
  /** For people, and in the name of the folder that it is kept in. */
  readonly version: string;
}

/** Builds a Go program once; it is kept from then on. A build takes minutes and a gigabyte of Go's own cache. */
export async function installWithGo({ name, module, version }: GoProgram): Promise<Obtained | Unavailable> {
  const cache = process.env['XDG_CACHE_HOME'] || path.join(homedir(), '.cache');
  const folder = path.join(cache, 'holdfast-servers', `${name}-${version}`);
  const program = path.join(folder, name);
  if (await exists(program)) return { path: program, version };
  // Renamed into place when whole, so that two runs that begin at once do not meet, and a build that was cut off counts
  // for nothing.
  const unfinished = `${folder}.${process.pid}`;
  await mkdir(unfinished, { recursive: true });
  try {
    await execute('go', ['install', module], {
      env: { ...process.env, GOBIN: unfinished },
      maxBuffer: 1 << 24,
    });
    await rename(unfinished, folder);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    if (await exists(program)) return { path: program, version };
    const [firstLine] = (error instanceof Error ? error.message : String(error)).split('\n');
    return { unavailable: `${name} could not be built with Go: ${firstLine}` };
  }
  return { path: program, version };
}

async function exists(file: string): Promise<boolean> {
  return await access(file).then(
    () => true,
    () => false,
  );
}
