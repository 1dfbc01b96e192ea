import { expect, test } from 'vitest';
import { brokenOff, noWayIn } from './reasons.ts';

/** What OpenSSH 9.2 said in each case. */
test.each([
  [
    'No ED25519 host key is known for [host]:22 and you have requested strict checking.\r\nHost key verification failed.\r\n',
    'backend.denied',
    'fingerprint',
  ],
  [
    '@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r\nHost key verification failed.\r\n',
    'backend.denied',
    'ssh-keygen -R',
  ],
  ['me@host: Permission denied (publickey).\r\n', 'backend.denied', 'authorized_keys'],
  ['subsystem request failed on channel 0\r\n', 'backend.denied', 'Subsystem'],
  ['/root/.ssh/config: line 1: Bad configuration option: nonsense\r\n', 'usage', '~/.ssh/config'],
  ['ssh: connect to host host port 22: Connection refused\r\n', 'backend.unreachable', 'sshd'],
  ['ssh: Could not resolve hostname host: Name or service not known\r\n', 'backend.unreachable', 'alias'],
  ['kex_exchange_identification: read: Connection reset by peer\r\n', 'backend.unreachable', 'ssh -v'],
  ['', 'backend.unreachable', 'ssh -v'],
])('%j is %s, and the hint says %s', (said, code, hint) => {
  const failure = noWayIn('sftp:host:/srv', { program: 'ssh', said });
  expect(failure.code).toBe(code);
  expect(failure.hint).toContain(hint);
  expect(failure.message).not.toMatch(/[\r\n]/);
});

test('a connection that was there and ended is worth another try, whatever a banner said before', () => {
  const said = 'Permission denied to all but staff.\nConnection to host closed by remote host.\n';
  const failure = brokenOff('sftp:host:/srv', { program: 'ssh', said });
  expect(failure).toMatchObject({ code: 'backend.unreachable', retry: true });
  expect(failure.message).toContain('closed by remote host');
});
