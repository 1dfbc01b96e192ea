import { Failure } from '../kernel/failure.ts';
import type { Address } from './address.ts';
import type { Backend } from './backend.ts';
import { createLocal, openLocal } from './local/local.ts';

/** Opens the place at an address. `repository.unsupported` for a kind that this version cannot open. */
export async function openBackend(address: Address): Promise<Backend> {
  if (address.scheme === 'local') return openLocal({ path: address.path });
  throw unsupported(address.scheme);
}

/** Prepares the place at an address for a new repository and opens it; `backend.exists` when there is one already. */
export async function createBackend(address: Address): Promise<Backend> {
  if (address.scheme === 'local') return createLocal({ path: address.path });
  throw unsupported(address.scheme);
}

function unsupported(scheme: string): Failure {
  return new Failure(
    'repository.unsupported',
    `This version has local repositories only, not ${scheme}: ones.`,
    {
      subject: `${scheme}:`,
      hint: 'Give a directory, such as --repo /srv/backup.',
    },
  );
}
