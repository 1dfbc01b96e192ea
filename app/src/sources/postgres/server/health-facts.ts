import type { Failure } from '@holdfast/engine';
import type { Advice } from '../../../doctor/check.ts';
import type { Configuration } from './configuration.ts';

/** What was learnt of a server. What could not be learnt is absent, and then nothing is said about it. */
export interface ServerHealth {
  readonly server: string;
  readonly role: string;
  /** Why no replication connection could be had. */
  readonly replicationRefused?: Failure;
  /** Why no SQL connection could be had; without one, settings are unknown on a server that refuses replication. */
  readonly sqlRefused?: Failure;
  readonly major?: number;
  /** As SHOW prints them. */
  readonly settings: Readonly<Record<string, string>>;
  /** Whether the role has the attribute REPLICATION, or is a superuser. */
  readonly mayReplicate?: boolean;
  readonly mayReadAll?: boolean;
  /** How many connections the role may have; absent when there is no limit. */
  readonly connectionLimit?: number;
  /** Milliseconds since the epoch, when its password ends to count; absent when it never does. */
  readonly passwordUntil?: number;
  /** How the server sees us. */
  readonly connectedFrom?: ConnectedFrom;
  /** Milliseconds that its clock is ahead of ours. */
  readonly clockAhead?: number;
  /** Milliseconds since the epoch, by our clock. */
  readonly examinedAt?: number;
  readonly standby?: { readonly replayPaused: boolean };
  /** Slots that nobody reads; the server keeps WAL for them. */
  readonly idleSlots?: readonly IdleSlot[];
  readonly configuration?: Pick<Configuration, 'located' | 'unreadable'>;
  /** The directory of a journal's spool on this machine. */
  readonly spool?: SpoolSpace;
}

export interface ConnectedFrom {
  /** Absent over a unix socket. */
  readonly address?: string;
  readonly encrypted: boolean;
  readonly database: string;
}

export interface IdleSlot {
  readonly name: string;
  /** WAL kept for it. */
  readonly bytes: number;
}

export interface SpoolSpace {
  readonly directory: string;
  /** Bytes that this user may still write there; absent when nothing can be written. */
  readonly free?: number;
}

/** What is pasted as SQL. */
export function sql(...fix: string[]): Pick<Advice, 'fix' | 'fixIn'> {
  return { fix, fixIn: 'psql, as an administrator' };
}

/** Whether a setting is known. */
export function has(setting: string): (facts: ServerHealth) => boolean {
  return ({ settings }) => settings[setting] !== undefined;
}

/**
 * The line of pg_hba.conf that lets this role in from here: `replication` names the connections for backups, which `all`
 * does not include.
 */
export function admission({ role, connectedFrom }: ServerHealth, database: 'replication' | 'all'): string {
  const quoted = /^[a-z_][a-z0-9_]*$/.test(role) ? role : `"${role.replaceAll('"', '""')}"`;
  if (connectedFrom !== undefined && connectedFrom.address === undefined) {
    return `local  ${database}  ${quoted}  scram-sha-256`;
  }
  const kind = connectedFrom?.encrypted === false ? 'host' : 'hostssl';
  const address = connectedFrom?.address;
  const from = address === undefined ? '<address of this machine>/32' : `${address}/${prefixOf(address)}`;
  return `${kind}  ${database}  ${quoted}  ${from}  scram-sha-256`;
}

function prefixOf(address: string): number {
  return address.includes(':') ? 128 : 32;
}
