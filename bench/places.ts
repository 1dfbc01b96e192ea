import { rm } from 'node:fs/promises';
import path from 'node:path';
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { Failure } from '../engine/src/kernel/failure.ts';
import { minio, startMinio } from '../test/servers/minio.ts';
import { credentials, type RunningS3 } from '../test/servers/s3-server.ts';
import type { Traffic } from './measurement.ts';
import { treeSize } from './tree-size.ts';

/** Where the repositories of one round lie. Disposing removes them. */
export interface Place extends AsyncDisposable {
  /** The address of a new repository, in restic's notation, which all programs read. */
  addressOf(name: string): string;
  /** Bytes of all files of a repository. */
  sizeOf(address: string): Promise<number>;
  /** What a server here has been asked so far; absent where there is none. */
  readonly traffic?: () => Promise<Traffic>;
}

export const placeNames = ['local', 's3'] as const;
export type PlaceName = (typeof placeNames)[number];

/** Made anew for each round, so that none pays for what an earlier one has left. */
export async function openPlace(name: PlaceName, directory: string): Promise<Place> {
  return name === 'local' ? localPlace(directory) : await s3Place();
}

/** What programs have to know to reach it. */
export function environmentOf(name: PlaceName): Readonly<Record<string, string>> {
  return name === 'local' ? {} : credentials.environment;
}

function localPlace(directory: string): Place {
  const addresses: string[] = [];
  return {
    addressOf(name) {
      const address = path.join(directory, name);
      addresses.push(address);
      return address;
    },
    sizeOf: async (address) => (await treeSize(address)).bytes,
    async [Symbol.asyncDispose]() {
      for (const address of addresses) await rm(address, { recursive: true, force: true });
    },
  };
}

/** A MinIO of our own on loopback, which counts for itself what it is asked: the same way for every program. */
async function s3Place(): Promise<Place> {
  const obtained = await minio.obtain();
  if ('unavailable' in obtained) {
    throw new Failure('usage', 'There is no MinIO here to measure with.', { hint: obtained.unavailable });
  }
  const server = await startMinio(obtained.path, { MINIO_PROMETHEUS_AUTH_TYPE: 'public' });
  return {
    addressOf: (name) => `s3:${server.endpoint}/${name}`,
    sizeOf: (address) => bucketSize(server, address.slice(address.lastIndexOf('/') + 1)),
    traffic: () => trafficOf(server),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

async function bucketSize(server: RunningS3, bucket: string): Promise<number> {
  const { endpoint, accessKey: accessKeyId, secretKey: secretAccessKey } = server;
  const client = new S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
  let bytes = 0;
  let token: string | undefined;
  do {
    const next = token === undefined ? {} : { ContinuationToken: token };
    const page = await client.send(new ListObjectsV2Command({ Bucket: bucket, ...next }));
    for (const { Size = 0 } of page.Contents ?? []) bytes += Size;
    token = page.NextContinuationToken;
  } while (token !== undefined);
  client.destroy();
  return bytes;
}

/** The third version of MinIO's metrics: unlike the second it is not ten seconds old. */
async function trafficOf({ endpoint }: RunningS3): Promise<Traffic> {
  const answer = await fetch(`${endpoint}/minio/metrics/v3/api/requests`);
  const text = await answer.text();
  const requests: Record<string, number> = {};
  let bytes = 0;
  for (const [, metric, labels = '', value] of text.matchAll(/^minio_api_requests_(\w+)\{(.*)\} (\S+)$/gm)) {
    const name = /\bname="(\w+)"/.exec(labels)?.[1];
    if (metric === 'total' && name !== undefined) requests[name] = Number(value);
    if (metric === 'traffic_received_bytes' || metric === 'traffic_sent_bytes') bytes += Number(value);
  }
  return { requests, bytes };
}
