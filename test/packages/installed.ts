import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));

/** Both packages as a user gets them: packed, and installed into an empty folder with spaces in its path. */
export interface Installed extends AsyncDisposable {
  readonly prefix: string;
  /** The launcher, for a Node of our choice to run. */
  readonly launcher: string;
  /** The command as it stands in `node_modules/.bin`. */
  readonly command: string;
}

export async function installPackages(): Promise<Installed> {
  await using cleanup = new AsyncDisposableStack();
  const scratch = await mkdtemp(path.join(tmpdir(), 'holdfast packages '));
  cleanup.defer(() => rm(scratch, { recursive: true, force: true }));
  const prefix = path.join(scratch, 'an empty prefix');
  await mkdir(prefix);

  await execute(process.execPath, [path.join(root, 'scripts', 'build.ts')]);
  const tarballs: string[] = [];
  for (const name of ['engine', 'app']) tarballs.push(await pack(name, scratch));
  await execute('npm', ['init', '--yes'], { cwd: prefix });
  await execute('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', ...tarballs], {
    cwd: prefix,
  });

  const kept = cleanup.move();
  return {
    prefix,
    launcher: path.join(prefix, 'node_modules', 'holdfast', 'bin', 'holdfast.cjs'),
    command: path.join(prefix, 'node_modules', '.bin', 'holdfast'),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** Packs a copy: inside the workspace npm would take its root's configuration into account. */
async function pack(name: string, scratch: string): Promise<string> {
  const copy = path.join(scratch, name);
  const filter = (file: string) => path.basename(file) !== 'node_modules';
  await cp(path.join(root, name), copy, { recursive: true, filter });
  const { stdout } = await execute('npm', ['pack', '--json', '--pack-destination', scratch], { cwd: copy });
  return path.join(scratch, packedFile(stdout));
}

/** npm 11 prints a list of packages, npm 12 an object by package name. */
function packedFile(json: string): string {
  const [packed] = Object.values(JSON.parse(json) as Record<string, { filename: string }>);
  if (packed === undefined) throw new Error('npm pack named no file');
  return packed.filename;
}

export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export async function run(program: string, args: readonly string[]): Promise<Ran> {
  const { promise, resolve } = Promise.withResolvers<Ran>();
  execFile(program, args, (error, stdout, stderr) => {
    resolve({ exitCode: error === null ? 0 : Number(error.code ?? 1), stdout, stderr });
  });
  return await promise;
}
