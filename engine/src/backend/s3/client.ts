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
  hashOnce(client);
  return { client, sdk };
}

/**
 * Every upload bears its SHA-256, and the signature covers the same sum under another name: told of it, the SDK does not
 * read a pack a second time. The server compares both with what arrives.
 */
function hashOnce(client: S3Client): void {
  client.middlewareStack.add(
    (next) => async (call) => {
      const { headers } = call.request as { readonly headers: Record<string, string> };
      const checksum = headers['x-amz-checksum-sha256'];
      // The last call of a multipart upload has the sums of its parts in its body, which has none of its own.
      if (checksum !== undefined) {
        headers['x-amz-content-sha256'] = Buffer.from(checksum, 'base64').toString('hex');
      }
      return await next(call);
    },
    { step: 'build', name: 'hashOnce' },
  );
}

/** A multipart upload sends several parts in what is one call. */
const SOCKETS_PER_CALL = 2;
