import { Failure } from '@holdfast/engine';

/**
 * Users and what is stored of their passwords, from a file as `htpasswd -B` and `htpasswd -s` write it: one
 * `user:$2y$…` (bcrypt) or `user:{SHA}…` a line, `#` begins a comment. Other kinds can be broken by trying, or are not
 * known here: they are refused, `usage`, rather than that somebody is locked out without a word.
 */
export function parseHtpasswd(text: string, path: string): ReadonlyMap<string, string> {
  const users = new Map<string, string>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const entry = line.trim();
    if (entry === '' || entry.startsWith('#')) continue;
    const [user = '', stored = ''] = entry.split(':');
    if (user === '' || !KNOWN.test(stored)) {
      throw new Failure('usage', `line ${index + 1} of the password file is not understood`, {
        subject: path,
        hint: 'It has the form user:hash with a bcrypt hash: htpasswd -B FILE USER adds one.',
      });
    }
    users.set(user, stored);
  }
  if (users.size > 0) return users;
  throw new Failure('usage', 'the password file names no user', {
    subject: path,
    hint: 'Add one: htpasswd -B FILE USER.',
  });
}

export function isBcrypt(stored: string): boolean {
  return stored.startsWith('$2');
}

const KNOWN = /^(\$2[aby]\$(0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}|\{SHA\}[A-Za-z0-9+/]{27}=)$/;
