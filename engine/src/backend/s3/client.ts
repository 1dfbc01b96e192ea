import type { S3Client } from '@aws-sdk/client-s3';
import { CONNECT_MS } from '../http/limits.ts';
import { trusted } from '../http/trust.ts';
import type { S3Options } from './options.ts';

/** The part of the SDK that is used here. */
export type Sdk = typeof import('@aws-sdk/client-s3');

/**
 * A client with connections of its own. The SDK is loaded here and not before: it takes longer than a local repository
 * needs to open. It tries nothing again by itself, since `retry` does so and tells; and it adds no checksums to ours.
 */
export async function openClient(options: S3Options): Promise<{ client: S3Client; sdk: Sdk }> {
  const sdk = await import('@aws-sdk/client-s3');
  const { place, region, pathStyle, connections, silence, profile, authority } = options;
  const agent = { keepAlive: true, maxSockets: connections * SOCKETS_PER_CALL };
  const client = new sdk.S3Client({
    endpoint: place.endpoint,
    region,
    forcePathStyle: pathStyle,
    maxAttempts: 1,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    ...(profile === undefined ? {} : { profile }),
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      socketTimeout: silence,
      httpAgent: agent,
      httpsAgent: { ...agent, ...(authority === undefined ? {} : { ca: trusted(authority) }) },
    },
  });
  return { client, sdk };
}

/** A multipart upload sends several parts in what is one call. */
const SOCKETS_PER_CALL = 2;
