import { Failure } from '../../kernel/failure.ts';
import { connectionsOf, silenceOf } from '../http/limits.ts';
import type { BackendSettings, Login } from '../settings.ts';
import type { RestPlace } from './address.ts';

export interface RestOptions {
  readonly place: RestPlace;
  readonly login?: Login;
  /** How many calls at once. */
  readonly connections: number;
  /** Milliseconds without a byte after which a connection counts as dead. */
  readonly silence: number;
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
    if (name.startsWith('rest.') && !KNOWN.includes(name)) {
      throw new Failure('usage', `-o ${name} is unknown`, {
        hint: `For REST servers there are ${KNOWN.join(' and ')}.`,
      });
    }
  }
  return {
    place,
    connections: connectionsOf('rest.connections', extended.get('rest.connections')),
    silence: silenceOf('rest.timeout', extended.get('rest.timeout')),
    ...(login === undefined ? {} : { login }),
    ...(authority === undefined ? {} : { authority }),
    ...(clientCertificate === undefined ? {} : { clientCertificate }),
  };
}

const KNOWN = ['rest.connections', 'rest.timeout'];
