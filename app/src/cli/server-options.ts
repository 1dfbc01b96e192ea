import type { Command } from 'commander';

/** Where a database server is. What is left out comes from where libpq looks: PGHOST …, the service and password files. */
export interface ServerOptions {
  readonly url?: string;
  readonly service?: string;
}

export function addServerOptions(command: Command): Command {
  return command
    .optionsGroup('The server:')
    .option(
      '--url <url>',
      'postgres://user@host:5432/database?sslmode=verify-full; the password better from PGPASSWORD or ~/.pgpass',
    )
    .option('--service <name>', 'a section of ~/.pg_service.conf instead');
}
