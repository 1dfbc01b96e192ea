import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { credentials } from '../servers/s3-server.ts';

export function adminOf(endpoint: string): S3Client {
  const { accessKey: accessKeyId, secretKey: secretAccessKey } = credentials;
  return new S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
}

/** Puts an object beside what the repository has; `place` is `bucket/folder`. */
export async function putObject(
  endpoint: string,
  place: string,
  key: string,
  body = 'not ours',
): Promise<void> {
  const [bucket = '', ...folder] = place.split('/');
  const client = adminOf(endpoint);
  await client.send(new PutObjectCommand({ Bucket: bucket, Key: [...folder, key].join('/'), Body: body }));
  client.destroy();
}
