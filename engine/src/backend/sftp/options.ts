import { Failure } from '../../kernel/failure.ts';
import type { BackendSettings } from '../settings.ts';
import type { SftpPlace } from './address.ts';
import { splitWords } from './words.ts';

export interface SftpOptions {
  readonly place: SftpPlace;
  /** The program that carries SFTP on its standard input and output, and its arguments. */
  readonly command: readonly string[];
  /** How many calls at once, each on a connection of its own. */
  readonly connections: number;
  /** Milliseconds without a sign of life after which a connection counts as dead. */
  readonly timeout: number;
}

const KNOWN = ['args', 'command', 'connections', 'timeout'];

/** Reads `-o sftp.…`. Throws `usage` for what it does not understand. */
export function sftpOptions(place: SftpPlace, { extended }: BackendSettings): SftpOptions {
  const given = new Map<string, string>();
  for (const [name, value] of extended) {
    const [scheme, key = ''] = name.split('.');
    if (scheme !== 'sftp') continue;
    if (!KNOWN.includes(key)) {
      throw new Failure('usage', `-o ${name} is unknown`, {
        hint: `For SFTP there are ${KNOWN.map((known) => `sftp.${known}`).join(', ')}.`,
      });
    }
    given.set(key, value);
  }
  return {
    place,
    command: commandOf(place, given.get('command'), given.get('args')),
    connections: numberOf('connections', given.get('connections'), USUAL_CONNECTIONS, MOST_CONNECTIONS),
    timeout: 1000 * numberOf('timeout', given.get('timeout'), USUAL_SECONDS, MOST_SECONDS),
  };
}

/**
 * ssh takes the first value that it meets for an option: ours that keeps it from asking anybody comes before what the
 * user says, ours that is a mere default after it. Host keys are checked as the user's own configuration wants.
 */
function commandOf(place: SftpPlace, command: string | undefined, args: string | undefined): string[] {
  if (command !== undefined) {
    if (args !== undefined) {
      throw new Failure('usage', '-o sftp.command and -o sftp.args exclude each other', {
        hint: 'Write the arguments into the command.',
      });
    }
    const words = splitWords(command);
    if (words.length > 0) return words;
    throw new Failure('usage', '-o sftp.command is empty');
  }
  return [
    'ssh',
    '-oBatchMode=yes',
    ...splitWords(args ?? ''),
    '-oServerAliveInterval=20',
    ...(place.port === undefined ? [] : ['-p', String(place.port)]),
    ...(place.user === undefined ? [] : ['-l', place.user]),
    '-s',
    '--',
    place.host,
    'sftp',
  ];
}

function numberOf(name: string, text: string | undefined, usual: number, most: number): number {
  if (text === undefined) return usual;
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= most) return number;
  throw new Failure('usage', `-o sftp.${name} is a number from 1 to ${most}, not ${text}`);
}

/** As restic has it. sshd drops logins at random when ten are under way (MaxStartups). */
const USUAL_CONNECTIONS = 5;
const MOST_CONNECTIONS = 32;
const USUAL_SECONDS = 60;
const MOST_SECONDS = 3600;
