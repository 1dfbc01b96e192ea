import { chmod, chown, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Account, type Command, run } from '../measurement.ts';
import type { Cluster } from './cluster.ts';
import type { Programs } from './programs.ts';

const STANZA = 'bench';

/** pgBackRest with a repository of its own: encrypted, zstd at its third level, two processes. */
export class PgBackRest {
  readonly label: string;
  readonly #program: string;
  readonly #config: string;
  readonly #account: Account | undefined;

  private constructor(label: string, program: string, config: string, account: Account | undefined) {
    this.label = `${label} (zst 3, aes-256-cbc, 2 processes)`;
    this.#program = program;
    this.#config = config;
    this.#account = account;
  }

  /** Makes the repository, whose files lie in `home/repository`; undefined when pgBackRest is not installed. */
  static async prepare(
    { pgBackRest }: Programs,
    cluster: Cluster,
    home: string,
    account: Account | undefined,
  ): Promise<PgBackRest | undefined> {
    if (pgBackRest === undefined) return undefined;
    const config = path.join(home, 'pgbackrest.conf');
    await mkdir(home, { recursive: true });
    await writeFile(config, configuration(home, cluster));
    await chmod(config, 0o644);
    if (account !== undefined) await chown(home, account.uid, account.gid);
    const made = new PgBackRest(pgBackRest.label, pgBackRest.program, config, account);
    await run(made.#call('stanza-create'));
    return made;
  }

  /** A full backup. The server need not archive for it, unless `archiving` says that it does. */
  backUp({ archiving = false } = {}): Command {
    return this.#call(...(archiving ? [] : ['--no-archive-check']), '--type=full', 'backup');
  }

  /** Into an empty directory. */
  restore(target: string): Command {
    return this.#call(`--pg1-path=${target}`, 'restore');
  }

  /** What the server is to run for each segment. */
  get archiveCommand(): string {
    return `${this.#program} --config=${this.#config} --stanza=${STANZA} archive-push %p`;
  }

  #call(...words: string[]): Command {
    const args = [`--config=${this.#config}`, `--stanza=${STANZA}`, ...words];
    const account = this.#account === undefined ? {} : { account: this.#account };
    return { program: this.#program, args, ...account };
  }
}

function configuration(home: string, { dataDirectory, environment }: Cluster): string {
  return `[global]
repo1-path=${home}/repository
repo1-cipher-type=aes-256-cbc
repo1-cipher-pass=a password for benchmarks
compress-type=zst
compress-level=3
process-max=2
start-fast=y
lock-path=${home}/lock
spool-path=${home}/spool
log-level-console=warn
log-level-file=off

[${STANZA}]
pg1-path=${dataDirectory}
pg1-socket-path=${environment['PGHOST']}
pg1-port=${environment['PGPORT']}
pg1-user=${environment['PGUSER']}
`;
}
