import { Failure } from '../../kernel/failure.ts';
import { connectionsOf, silenceOf } from '../http/limits.ts';
import type { BackendSettings } from '../settings.ts';
import { isAmazon, regionIn, type S3Place } from './address.ts';

export interface S3Options {
  readonly place: S3Place;
  readonly region: string;
  /** The bucket in the path of the URL rather than in its host name. */
  readonly pathStyle: boolean;
  /** How many calls at once. */
  readonly connections: number;
  /** Of packs with file content; everything that opening a repository needs stays in the bucket's own class. */
  readonly storageClass?: string;
  /** A profile of ~/.aws/config and ~/.aws/credentials. */
  readonly profile?: string;
  /** Milliseconds without a byte after which a connection counts as dead: a server that is busy answers or closes. */
  readonly silence: number;
  /** PEM, besides what the machine trusts. */
  readonly authority?: Buffer;
}

const KNOWN = ['connections', 'storage-class', 'bucket-lookup', 'region', 'profile', 'timeout'];

/** Reads `-o s3.…` and the variables that every S3 program knows. Throws `usage` for what it does not understand. */
export function s3Options(place: S3Place, { extended, environment, authority }: BackendSettings): S3Options {
  const given = new Map<string, string>();
  for (const [name, value] of extended) {
    const [scheme, key = ''] = name.split('.');
    if (scheme !== 's3') continue;
    if (!KNOWN.includes(key)) {
      throw new Failure('usage', `-o ${name} is unknown`, {
        hint: `For S3 there are ${KNOWN.map((known) => `s3.${known}`).join(', ')}.`,
      });
    }
    given.set(key, value);
  }
  const storageClass = given.get('storage-class');
  const profile = given.get('profile') ?? environment['AWS_PROFILE'];
  return {
    place,
    region:
      given.get('region') ??
      regionIn(place.endpoint) ??
      environment['AWS_REGION'] ??
      environment['AWS_DEFAULT_REGION'] ??
      USUAL_REGION,
    pathStyle: pathStyleOf(given.get('bucket-lookup') ?? 'auto', place),
    connections: connectionsOf('s3.connections', given.get('connections')),
    silence: silenceOf('s3.timeout', given.get('timeout')),
    ...(storageClass === undefined ? {} : { storageClass }),
    ...(profile === undefined || profile === '' ? {} : { profile }),
    ...(authority === undefined ? {} : { authority }),
  };
}

function pathStyleOf(lookup: string, place: S3Place): boolean {
  if (lookup === 'auto') return !isAmazon(place.endpoint);
  if (lookup === 'dns' || lookup === 'path') return lookup === 'path';
  throw new Failure('usage', `-o s3.bucket-lookup is auto, dns or path, not ${lookup}`);
}

const USUAL_REGION = 'us-east-1';
