import { Failure } from '../../kernel/failure.ts';
import type { BackendSettings, Login } from '../settings.ts';
import type { RestPlace } from './address.ts';

export interface RestOptions {
  readonly place: RestPlace;
  readonly login?: Login;
  /** How many calls at once. */
  readonly connections: number;
  /** PEM, besides what the machine trusts. */
  readonly authority?: Buffer;
  /** Certificate and key in one PEM. */
  readonly clientCertificate?: Buffer;
}

/** Reads `-o rest.…`. A login in the address comes before that of the environment. Throws `usage`. */
export function restOptions(place: RestPlace, settings: BackendSettings): RestOptions {
  const { extended, authority, clientCertificate } = settings;
  const login = place.login ?? settings.restLogin;
  for (const name of extended.keys()) {
    if (name.startsWith('rest.') && name !== 'rest.connections') {
      throw new Failure('usage', `-o ${name} is unknown`, {
        hint: 'For REST servers there is rest.connections.',
      });
    }
  }
  return {
    place,
    connections: connectionsOf(extended.get('rest.connections')),
    ...(login === undefined ? {} : { login }),
    ...(authority === undefined ? {} : { authority }),
    ...(clientCertificate === undefined ? {} : { clientCertificate }),
  };
}

function connectionsOf(text: string | undefined): number {
  if (text === undefined) return USUAL_CONNECTIONS;
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= MOST_CONNECTIONS) return number;
  throw new Failure('usage', `-o rest.connections is a number from 1 to ${MOST_CONNECTIONS}, not ${text}`);
}

const USUAL_CONNECTIONS = 8;
const MOST_CONNECTIONS = 64;
