import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';
import type { Clock } from '@holdfast/engine';
import type { HostFact } from '../../policy/promises/facts.ts';

/** A name server that does not answer must not hold up a look at a file. */
const PATIENCE = 2000;

/** Tells whether a host is this machine: by its name, or by an address that is ours. */
export async function hostFact(
  host: string,
  { hostname, clock }: { readonly hostname: string; readonly clock: Clock },
): Promise<HostFact> {
  const name = host.toLowerCase();
  if (name.startsWith('/') || OUR_NAMES.has(name) || name === hostname.toLowerCase()) return HERE;
  const found = await addressesOf(name, clock);
  if (
    found.some((address) => address.startsWith('127.') || address === '::1' || ourAddresses().has(address))
  ) {
    return HERE;
  }
  return { here: false, name, addresses: found };
}

export const HERE: HostFact = { here: true, addresses: [] };

const OUR_NAMES: ReadonlySet<string> = new Set(['localhost', 'ip6-localhost', '::1', '0.0.0.0']);

async function addressesOf(name: string, clock: Clock): Promise<string[]> {
  const waiting = new AbortController();
  try {
    return await Promise.race([
      lookup(name, { all: true }).then((found) => found.map(({ address }) => address)),
      clock.sleep(PATIENCE, waiting.signal).then(() => []),
    ]);
  } catch {
    // A name that this machine cannot resolve is still a name to compare.
    return [];
  } finally {
    waiting.abort();
  }
}

function ourAddresses(): Set<string> {
  return new Set(
    Object.values(networkInterfaces()).flatMap((each) => (each ?? []).map(({ address }) => address)),
  );
}
