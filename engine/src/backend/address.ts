import { Failure } from '../kernel/failure.ts';

/** The remote kinds of repository in restic's notation. */
const REMOTE = ['s3', 'sftp', 'rest', 'rclone', 'b2', 'azure', 'gs', 'swift'] as const;

/** Where a repository is, as restic's `--repo` writes it. */
export type Address =
  | { readonly scheme: 'local'; readonly path: string }
  | {
      readonly scheme: (typeof REMOTE)[number];
      /** What follows the first colon. May hold a password: never print it. */
      readonly rest: string;
    };

/**
 * Reads `/path`, `relative/path`, `local:/path`, `s3:…`, `sftp:…`, `rest:…` and restic's other schemes. A colon makes
 * anything but a clear path ambiguous; like restic we want `local:` before it then. Throws `usage`.
 */
export function parseAddress(text: string): Address {
  const colon = text.indexOf(':');
  const scheme = text.slice(0, Math.max(colon, 0));
  const rest = text.slice(colon + 1);
  const remote = REMOTE.find((known) => known === scheme);
  if (remote !== undefined) return { scheme: remote, rest };

  const isPath = colon === -1 || /^\.{0,2}\//.test(text);
  const path = isPath ? text : rest;
  if (!isPath && scheme !== 'local') {
    // Not repeated in full: what looks like an address may hold a password.
    throw new Failure('usage', `Repositories of the kind "${scheme}:" are unknown.`, {
      hint: 'Is it a directory with a colon in its name? Write local: before it.',
    });
  }
  if (path === '') {
    throw new Failure('usage', 'The address of the repository is empty.', {
      hint: 'Give a directory, such as --repo /srv/backup.',
    });
  }
  return { scheme: 'local', path };
}
