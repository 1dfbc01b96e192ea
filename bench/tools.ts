import path from 'node:path';
import { Failure } from '../engine/src/kernel/failure.ts';
import { type Command, run } from './measurement.ts';

/** A program under test, with the commands of its dialect. `repository` is an address, the others are directories. */
export interface Tool {
  /** Its name and version, as in `restic 0.14.0`. */
  readonly label: string;
  init(repository: string): Command;
  backup(repository: string, corpus: string): Command;
  restore(repository: string, target: string): Command;
  check(repository: string): Command;
  /**
   * Forgets all but the newest snapshot and reclaims the space to the end, in as many commands as that takes: a prune
   * of ours marks, and the next one removes, which comes at once here instead of a day later.
   */
  prune(repository: string): Command[];
}

interface Dialect {
  init(repository: string): string[];
  backup(repository: string, corpus: string): string[];
  restore(repository: string, target: string): string[];
  check(repository: string): string[];
  prune(repository: string): string[][];
}

const dialects: Readonly<Record<string, Dialect>> = {
  holdfast: {
    init: (repository) => ['repo', 'init', '--repo', repository],
    backup: (repository, corpus) => ['files', 'backup', corpus, '--repo', repository],
    restore: (repository, target) => ['files', 'restore', 'latest', '--target', target, '--repo', repository],
    check: (repository) => ['repo', 'check', '--read-data', '--repo', repository],
    prune: (repository) => [
      ['repo', 'forget', '--keep-last', '1', '--prune', '--keep-delete', '0s', '--repo', repository],
      ['repo', 'prune', '--keep-delete', '0s', '--repo', repository],
    ],
  },
  restic: {
    init: (repository) => ['--repo', repository, 'init'],
    backup: (repository, corpus) => ['--repo', repository, 'backup', corpus],
    restore: (repository, target) => ['--repo', repository, 'restore', 'latest', '--target', target],
    check: (repository) => ['--repo', repository, 'check', '--read-data'],
    prune: (repository) => [['--repo', repository, 'forget', '--keep-last', '1', '--prune']],
  },
  rustic: {
    init: (repository) => ['--repository', repository, 'init'],
    backup: (repository, corpus) => ['--repository', repository, 'backup', corpus],
    restore: (repository, target) => ['--repository', repository, 'restore', 'latest', target],
    check: (repository) => ['--repository', repository, 'check', '--read-data'],
    prune: (repository) => [
      ['--repository', repository, 'forget', '--keep-last', '1', '--prune', '--instant-delete'],
    ],
  },
};

/**
 * A tool as the command line names it: `restic`, or `holdfast=node app/bin/run.cjs` for a dialect and the command
 * that speaks it. Undefined when the command does not run; a dialect that is not known fails with `usage`.
 * `settings` are variables that its repositories need.
 */
export async function findTool(
  text: string,
  scratch: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<Tool | undefined> {
  const [name = '', command = name] = text.split('=', 2);
  const dialect = dialects[name];
  if (dialect === undefined) {
    throw new Failure('usage', `There is no tool "${name}" to measure.`, {
      hint: `Name one of ${Object.keys(dialects).join(', ')}, with its command behind "=" where that is another.`,
    });
  }
  const [program = name, ...words] = command.split(' ');
  const environment = { ...environmentOf(path.join(scratch, 'cache')), ...settings };
  const call = (args: readonly string[]): Command => ({ program, args: [...words, ...args], environment });
  const version = await versionOf(call);
  if (version === undefined) return undefined;
  return {
    label: `${name} ${version}`,
    init: (...args) => call(dialect.init(...args)),
    backup: (...args) => call(dialect.backup(...args)),
    restore: (...args) => call(dialect.restore(...args)),
    check: (...args) => call(dialect.check(...args)),
    prune: (...args) => dialect.prune(...args).map(call),
  };
}

/** Caches as users have them, but of this run alone. */
function environmentOf(cache: string): Record<string, string> {
  const programs = ['HOLDFAST', 'RESTIC', 'RUSTIC'];
  return Object.fromEntries(
    programs.flatMap((program) => [
      [`${program}_PASSWORD`, 'a password for benchmarks'],
      [`${program}_CACHE_DIR`, path.join(cache, program.toLowerCase())],
    ]),
  );
}

async function versionOf(call: (args: readonly string[]) => Command): Promise<string | undefined> {
  for (const question of ['--version', 'version']) {
    try {
      const version = /\d+\.\d+\.\d+\S*/.exec(await run(call([question])));
      if (version !== null) return version[0];
    } catch {
      // Not every program knows both questions; whoever knows neither is not here.
    }
  }
  return undefined;
}
