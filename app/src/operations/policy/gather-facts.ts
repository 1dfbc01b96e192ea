import { stat } from 'node:fs/promises';
import { isFailure, openBackend, parseAddress } from '@holdfast/engine';
import { examineRemoval } from '../../doctor/storage/examination.ts';
import type { PlainOrSecret, Policy, RepositoryPolicy, SourcePolicy } from '../../policy/model.ts';
import { hostInAddress, UNKNOWN_PLACE } from '../../policy/place.ts';
import type { HostFact, PolicyFacts, RepositoryFacts, SourceFacts } from '../../policy/promises/facts.ts';
import { placeOf } from '../../secrets/repository-access.ts';
import { resolveText } from '../../secrets/resolve-secret.ts';
import { parseServerUrl, serverAddress } from '../../sources/postgres/connection/server-address.ts';
import type { Machine } from '../machine.ts';
import { HERE, hostFact } from './host-facts.ts';
import { deviceOf, diskFacts, sizeOf } from './path-facts.ts';
import { secretFacts } from './secret-facts.ts';

export type FactsMachine = Pick<Machine, 'clock' | 'environment' | 'homeDirectory' | 'hostname'>;

interface Search {
  readonly machine: FactsMachine;
  readonly signal: AbortSignal;
  /** Try with a file of our own whether it can be deleted again. */
  readonly probe: boolean;
}

/** Looks at what a policy names. Nothing is written anywhere, except with `probe` a small file that is removed again. */
export async function gatherFacts(policy: Policy, search: Search): Promise<PolicyFacts> {
  const { machine, signal } = search;
  const targets = new Set(policy.copies.map(({ to }) => to));
  const repositories = new Map<string, RepositoryFacts>();
  for (const repository of policy.repositories) {
    const probe = search.probe && targets.has(repository.name);
    repositories.set(repository.name, await repositoryFacts(repository, { ...search, probe }));
  }
  const sources = new Map<string, SourceFacts>();
  for (const source of policy.sources) sources.set(source.name, await sourceFacts(source, search));
  return {
    repositories,
    sources,
    secrets: await secretFacts(policy, { environment: machine.environment, signal }),
  };
}

async function repositoryFacts(repository: RepositoryPolicy, search: Search): Promise<RepositoryFacts> {
  const address = await addressOf(repository.url, search);
  if (address === undefined) return {};
  const removable = search.probe ? await removability(repository, search) : undefined;
  const tried = removable === undefined ? {} : { removable };
  const host = hostInAddress(address);
  if (host === UNKNOWN_PLACE) return tried;
  if (host !== undefined) return { host: await hostFact(host, search.machine), ...tried };
  const directory = directoryOf(address);
  if (directory === undefined) return { host: HERE, ...tried };
  const [device, disk] = [await deviceOf(directory), await diskFacts(directory)];
  return {
    ...(disk === undefined || disk.elsewhere ? {} : { host: HERE }),
    ...(device === undefined ? {} : { device }),
    ...(disk === undefined ? {} : { free: disk.free }),
    ...tried,
  };
}

/** Undefined for a socket. */
function directoryOf(address: string): string | undefined {
  const parsed = parseAddress(address);
  return parsed.scheme === 'local' ? parsed.path : undefined;
}

async function sourceFacts({ system }: SourcePolicy, search: Search): Promise<SourceFacts> {
  if (system.kind === 'postgres') {
    return { hosts: await serverHosts(system.url, search), devices: [], missing: [] };
  }
  const devices = new Set<string>();
  const missing: string[] = [];
  const hosts: HostFact[] = [];
  for (const path of system.paths) {
    if (!(await exists(path))) missing.push(path);
    const [device, disk] = [await deviceOf(path), await diskFacts(path)];
    if (device !== undefined) devices.add(device);
    // What is mounted from elsewhere is on another host, and nobody says which.
    if (disk?.elsewhere === false) hosts.push(HERE);
  }
  const bytes = missing.length > 0 ? undefined : await sizeOf(system.paths, search.signal);
  return { hosts, devices: [...devices], missing, ...(bytes === undefined ? {} : { bytes }) };
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function serverHosts(url: PlainOrSecret, search: Search): Promise<HostFact[]> {
  const address = await addressOf(url, search);
  if (address === undefined) return [];
  try {
    const { hosts } = serverAddress(parseServerUrl(address));
    return await Promise.all(hosts.map(({ name }) => hostFact(name, search.machine)));
  } catch (error) {
    if (isFailure(error, 'usage')) return [];
    throw error;
  }
}

/** An address, followed to where it is written unless that means to run a command. */
async function addressOf(value: PlainOrSecret, { machine, signal }: Search): Promise<string | undefined> {
  if (value.kind === 'command') return undefined;
  try {
    return (await resolveText(value, { environment: machine.environment, signal })).reveal();
  } catch (error) {
    // Told among the secrets.
    if (isFailure(error, 'secret.unavailable')) return undefined;
    throw error;
  }
}

/** Undefined where it could not be tried: there is no repository yet, or nobody answers. */
async function removability(
  repository: RepositoryPolicy,
  { machine, signal }: Search,
): Promise<boolean | undefined> {
  try {
    const { location, settings } = await placeOf(repository, { ...machine, signal });
    const backend = await openBackend(parseAddress(location), settings);
    try {
      return await examineRemoval(backend, signal);
    } finally {
      await backend.close();
    }
  } catch (error) {
    signal.throwIfAborted();
    if (isFailure(error)) return undefined;
    throw error;
  }
}
