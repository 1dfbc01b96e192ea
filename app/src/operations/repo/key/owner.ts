import type { NewKeyRequest } from '../../../cli/commands/repo/key/new-password.ts';

/** Whose key it is, as a note in it; what is left out is this user and host. */
export function ownerOf({ user, host }: NewKeyRequest): { username?: string; hostname?: string } {
  return {
    ...(user === undefined ? {} : { username: user }),
    ...(host === undefined ? {} : { hostname: host }),
  };
}
