import path from 'node:path';
import type { Command } from '../measurement.ts';
import { run } from '../measurement.ts';

/** Our own program, as it is published. */
export class Holdfast {
  readonly label: string;
  readonly #environment: Readonly<Record<string, string>>;

  private constructor(version: string, environment: Readonly<Record<string, string>>) {
    this.label = `holdfast ${version}`;
    this.#environment = environment;
  }

  /** `server`: the environment that says where the server is. */
  static async find(scratch: string, server: Readonly<Record<string, string>>): Promise<Holdfast> {
    const environment = {
      ...server,
      HOLDFAST_PASSWORD: 'a password for benchmarks',
      HOLDFAST_CACHE_DIR: path.join(scratch, 'cache'),
    };
    const version = (await run({ program: process.execPath, args: [PROGRAM, '--version'] })).trim();
    return new Holdfast(version.split(' ').at(-1) ?? '', environment);
  }

  init(repository: string): Command {
    return this.#call(['repo', 'init', '--repo', repository]);
  }

  backUp(repository: string, ...flags: string[]): Command {
    return this.#call(['postgres', 'backup', '--repo', repository, '--quiet', ...flags]);
  }

  journal(repository: string, spool: string, ...flags: string[]): Command {
    return this.#call(['postgres', 'journal', '--repo', repository, '--spool', spool, '--json', ...flags]);
  }

  restore(repository: string, target: string, ...flags: string[]): Command {
    const words = ['postgres', 'restore', ...flags, '--target', target, '--repo', repository];
    return this.#call(words);
  }

  /** Whether a command of ours has an option, or says something. */
  async knows(command: readonly string[], pattern: RegExp): Promise<boolean> {
    return pattern.test(await run(this.#call([...command, '--help'])));
  }

  #call(words: readonly string[]): Command {
    return { program: process.execPath, args: [PROGRAM, ...words], environment: this.#environment };
  }
}

const PROGRAM = 'app/bin/run.cjs';
