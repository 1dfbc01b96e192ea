import path from 'node:path';
import type { Client } from 'pg';
import { identifier } from '../connection/replication-session.ts';
import { sqlStateOf } from '../connection/server-error.ts';
import { includesOf, isIncludedName } from './include-directives.ts';

/** A configuration file that lies outside of the data directory, which a base therefore does not contain. */
export interface ConfigurationFile {
  /** On the server. */
  readonly path: string;
  /** Below `/holdfast/config`. */
  readonly name: string;
  readonly content: Buffer;
}

export interface Configuration {
  /** Whether the role may know where the files are. */
  readonly located: boolean;
  readonly files: readonly ConfigurationFile[];
  /** Paths of those that lie outside and could not be read. */
  readonly unreadable: readonly string[];
  /** What is set otherwise than by default, as lines of a configuration file; what this role may see of it. */
  readonly settings: string;
}

/**
 * Reads whatever postgresql.conf, pg_hba.conf, pg_ident.conf and the files that they include say outside of the data
 * directory (Debian: /etc/postgresql), as far as the role may. Never throws because it may not.
 */
export async function readConfiguration(client: Client): Promise<Configuration> {
  const settings = await nonDefaultSettings(client);
  const { rows } = await client.query<{ name: string; setting: string }>(
    'SELECT name, setting FROM pg_settings WHERE name = ANY ($1)',
    [['data_directory', ...MAIN_FILES.map(({ setting }) => setting)]],
  );
  const place = (name: string) => rows.find((row) => row.name === name)?.setting;
  const dataDirectory = place('data_directory');
  const main = MAIN_FILES.flatMap(({ setting, name }) => {
    const at = place(setting);
    return at === undefined ? [] : [{ path: path.posix.normalize(at), name }];
  });
  const [first] = main;
  if (dataDirectory === undefined || first === undefined) {
    return { located: false, files: [], unreadable: [], settings };
  }
  const home = path.posix.dirname(first.path);
  const reading = new Reading(client, home);
  for (const file of main) await reading.file(file.path, file.name);
  const outside = (file: string) => path.posix.relative(dataDirectory, file).startsWith('..');
  return {
    located: true,
    files: reading.files.filter((file) => outside(file.path)),
    unreadable: reading.unreadable.filter(outside),
    settings,
  };
}

/** What lets a role read configuration files; functions are granted in the database that it logs in to. */
export function configurationGrants(role: string): string[] {
  const quoted = identifier(role);
  return [
    `GRANT pg_read_all_settings, pg_read_server_files TO ${quoted};`,
    `GRANT EXECUTE ON FUNCTION pg_read_binary_file(text), pg_ls_dir(text) TO ${quoted};`,
  ];
}

const MAIN_FILES = [
  { setting: 'config_file', name: 'postgresql.conf' },
  { setting: 'hba_file', name: 'pg_hba.conf' },
  { setting: 'ident_file', name: 'pg_ident.conf' },
] as const;

/** Follows what files include, as deep as the server itself would. */
class Reading {
  readonly files: ConfigurationFile[] = [];
  readonly unreadable: string[] = [];
  readonly #client: Client;
  readonly #home: string;
  readonly #seen = new Set<string>();

  constructor(client: Client, home: string) {
    this.#client = client;
    this.#home = home;
  }

  async file(file: string, name = this.#nameOf(file), depth = 0): Promise<void> {
    if (this.#seen.has(file) || depth > DEEPEST) return;
    this.#seen.add(file);
    const content = await this.#ask<Buffer>('SELECT pg_read_binary_file($1) AS answer', file);
    if (content === undefined) return;
    this.files.push({ path: file, name, content });
    for (const included of includesOf(file, content.toString('latin1'))) {
      if (included.kind === 'file') await this.file(included.path, undefined, depth + 1);
      else await this.#directory(included.path, depth + 1);
    }
  }

  async #directory(directory: string, depth: number): Promise<void> {
    const names = await this.#ask<string[]>('SELECT array(SELECT pg_ls_dir($1)) AS answer', directory);
    for (const name of names?.filter(isIncludedName).sort() ?? []) {
      await this.file(path.posix.join(directory, name), undefined, depth);
    }
  }

  /** Undefined for what is not there, and for what may not be read, which is noted. */
  async #ask<Answer>(sql: string, file: string): Promise<Answer | undefined> {
    try {
      const { rows } = await this.#client.query<{ answer: Answer }>(sql, [file]);
      return rows[0]?.answer;
    } catch (error) {
      const state = sqlStateOf(error);
      if (state !== UNDEFINED_FILE) {
        if (state === undefined) throw error;
        this.unreadable.push(file);
      }
      return undefined;
    }
  }

  #nameOf(file: string): string {
    const below = path.posix.relative(this.#home, file);
    return below.startsWith('..') ? path.posix.join('elsewhere', file) : below;
  }
}

/** Not by `pg_settings.setting`, which has no units. */
async function nonDefaultSettings(client: Client): Promise<string> {
  const { rows } = await client.query<{ name: string; value: string }>(`
    SELECT name, current_setting(name) AS value FROM pg_settings
    WHERE source IN ('configuration file', 'command line', 'environment variable') AND context <> 'internal'
    ORDER BY name`);
  return rows.map(({ name, value }) => `${name} = '${value.replaceAll("'", "''")}'\n`).join('');
}

const UNDEFINED_FILE = '58P01';
const DEEPEST = 10;
