import { Failure, type FailureCode } from '../../kernel/failure.ts';
import type { Ending } from './ssh-process.ts';
import { tidy } from './status.ts';

/*
 * ssh has one exit status for everything, 255, and tells people the rest: so here, and only here, we read text. Each
 * pattern is a piece of a message of OpenSSH's own sources, which are not translated. One that is missed costs a hint,
 * and a few more tries; its text is shown in any case.
 */
interface Meaning {
  readonly pattern: RegExp;
  readonly code: FailureCode;
  readonly reason: string;
  readonly hint: string;
}

const MEANINGS: readonly Meaning[] = [
  {
    pattern: /REMOTE HOST IDENTIFICATION HAS CHANGED|host key for .* has changed/i,
    code: 'backend.denied',
    reason: 'the server shows another host key than the one that is known: somebody may be in between',
    hint: 'Ask whoever runs the server whether its key was changed, and what the new fingerprint is. Only then remove the old key with ssh-keygen -R HOST and log in once with ssh.',
  },
  {
    pattern: /host key verification failed|no .* host key is known/i,
    code: 'backend.denied',
    reason: 'the server’s host key is not known here',
    hint: 'Log in once with ssh to the same host as the same user, and compare the fingerprint that it shows with the server’s (there: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub).',
  },
  {
    pattern: /permission denied|too many authentication failures|no more authentication methods/i,
    code: 'backend.denied',
    reason: 'the server does not accept the login',
    hint: 'Is the right key offered, and is it in authorized_keys there? Nobody is asked for a password here: ssh -o BatchMode=yes USER@HOST shows the same.',
  },
  {
    pattern: /subsystem request failed|command not found|this service allows/i,
    code: 'backend.denied',
    reason: 'the server lets us in, but offers no SFTP to this user',
    hint: 'Does its sshd_config have a line “Subsystem sftp internal-sftp”?',
  },
  {
    pattern:
      /bad configuration option|bad owner or permissions|unknown option|usage: ssh|keyword .* extra arguments/i,
    code: 'usage',
    reason: 'ssh does not like its configuration',
    hint: 'Look at ~/.ssh/config and at -o sftp.args or sftp.command.',
  },
  {
    pattern: /could not resolve hostname/i,
    code: 'backend.unreachable',
    reason: 'the name of the server is not known',
    hint: 'Is the host in the address written right, or an alias in ~/.ssh/config?',
  },
  {
    pattern: /connection refused/i,
    code: 'backend.unreachable',
    reason: 'nothing listens there (connection refused)',
    hint: 'Does sshd run, and on this port? With another port: sftp://USER@HOST:PORT//PATH.',
  },
];

const CONNECTION = 'Is the server up and can it be reached? ssh -v to the same host tells more.';

/** Why there is no connection, from what the program said last. */
export function noWayIn(location: string, ending: Ending): Failure {
  if (ending.error !== undefined) return notStarted(location, ending.program, ending.error);
  const lines = linesOf(ending);
  const meaning = MEANINGS.find(({ pattern }) => lines.some((line) => pattern.test(line)));
  return new Failure(
    meaning?.code ?? 'backend.unreachable',
    `Could not reach ${location}: ${meaning?.reason ?? 'the connection ended'}${quoted(ending)}.`,
    { subject: location, hint: meaning?.hint ?? CONNECTION },
  );
}

/** A connection that was there has ended. A login is no reason any more, so the text is only shown. */
export function brokenOff(location: string, ending: Ending): Failure {
  return new Failure('backend.unreachable', `The connection to ${location} ended${quoted(ending)}.`, {
    subject: location,
    hint: CONNECTION,
  });
}

function linesOf({ said }: Ending): string[] {
  return said.split('\n').map(tidy).filter(Boolean);
}

function quoted(ending: Ending): string {
  const lastLine = linesOf(ending).at(-1);
  return lastLine === undefined ? '' : ` (${ending.program}: ${lastLine})`;
}

function notStarted(location: string, program: string, error: NodeJS.ErrnoException): Failure {
  return new Failure('usage', `Could not reach ${location}: ${program} cannot be run (${error.code}).`, {
    subject: location,
    hint: 'SFTP goes through OpenSSH’s own program: install openssh-client, or name another with -o sftp.command.',
    cause: error,
  });
}

export function silence(location: string, milliseconds: number): Failure {
  return new Failure(
    'backend.unreachable',
    `${location} has not answered for ${Math.round(milliseconds / 1000)} seconds.`,
    { subject: location, hint: CONNECTION },
  );
}

/** What answers speaks something else. */
export function notSftp(location: string, cause: Error): Failure {
  return new Failure('backend.io', `What answers at ${location} is no SFTP: ${tidy(cause.message)}.`, {
    subject: location,
    hint: 'Does the login shell there print a greeting? ssh HOST true must print nothing.',
    cause,
  });
}
