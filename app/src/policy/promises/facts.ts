/**
 * What is known of the machines and storages that a policy names. What is absent was not looked at or cannot be known:
 * it is said, and never counts as good.
 */
export interface PolicyFacts {
  /** By name. */
  readonly repositories: ReadonlyMap<string, RepositoryFacts>;
  readonly sources: ReadonlyMap<string, SourceFacts>;
  /** What is the matter with references to secrets: path in the policy, and why. */
  readonly secrets: readonly SecretFact[];
}

export interface RepositoryFacts {
  readonly host?: HostFact;
  /** Of the file system that it is on, for a directory of this machine. */
  readonly device?: string;
  /** Bytes that the storage has left. */
  readonly free?: number;
  /** Bytes that are in it. */
  readonly bytes?: number;
  /** Whether our credentials may delete what is there. */
  readonly removable?: boolean;
}

export interface SourceFacts {
  /** Several for a cluster; empty when none is known. */
  readonly hosts: readonly HostFact[];
  readonly devices: readonly string[];
  /** Bytes of one snapshot, as they are read. */
  readonly bytes?: number;
  /** Bytes that a snapshot adds on average, where there were some. */
  readonly added?: number;
  /** Paths that are not there. */
  readonly missing: readonly string[];
}

/** A machine, as far as it can be told from others. */
export interface HostFact {
  readonly here: boolean;
  /** Small letters. */
  readonly name?: string;
  readonly addresses: readonly string[];
}

export interface SecretFact {
  readonly subject: string;
  readonly kind: 'unreadable' | 'exposed';
  readonly message: string;
}

/** Undefined when nothing can be said. */
export function sameHost(one: HostFact | undefined, other: HostFact | undefined): boolean | undefined {
  if (one === undefined || other === undefined) return undefined;
  if (one.here && other.here) return true;
  if (one.name !== undefined && one.name === other.name) return true;
  return one.addresses.some((address) => other.addresses.includes(address));
}
