import type { ServerOptions } from '../../cli/server-options.ts';
import { resolveServer } from '../../sources/postgres/config.ts';
import type { ServerAddress } from '../../sources/postgres/connection/server-address.ts';
import type { Machine } from '../machine.ts';

export type ServerMachine = Pick<Machine, 'environment' | 'homeDirectory'>;

/** The server that the options of a command line mean. */
export function serverOf({ url, service }: ServerOptions, machine: ServerMachine): Promise<ServerAddress> {
  const config = { ...(url === undefined ? {} : { url }), ...(service === undefined ? {} : { service }) };
  return resolveServer(config, machine);
}

/** What is saved of a server is of the machine that it is on; behind a socket that is this one. */
export function hostOf({ hosts: [first] }: ServerAddress, machine: Pick<Machine, 'hostname'>): string {
  return first === undefined || first.name.startsWith('/') ? machine.hostname : first.name;
}
