import { createHash, createHmac } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { RunningS3 } from './s3-server.ts';

/** The variables of a user who may do what a policy allows, and nothing else. */
export type LimitedEnvironment = Readonly<Record<string, string>>;

/**
 * Has the server make temporary credentials that are limited to `policy` (AssumeRole of its security token service, which
 * shares the port of S3), for an hour.
 */
export async function limitedTo(policy: string, server: RunningS3): Promise<LimitedEnvironment> {
  const body = new URLSearchParams({
    Action: 'AssumeRole',
    Version: '2011-06-15',
    DurationSeconds: '3600',
    Policy: policy,
  }).toString();
  const text = await ask(server, body);
  const value = (name: string) => new RegExp(`<${name}>([^<]+)</${name}>`).exec(text)?.[1] ?? '';
  return {
    AWS_ACCESS_KEY_ID: value('AccessKeyId'),
    AWS_SECRET_ACCESS_KEY: value('SecretAccessKey'),
    AWS_SESSION_TOKEN: value('SessionToken'),
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}

/** A server that serves files already may still be reading its users. */
async function ask(server: RunningS3, body: string): Promise<string> {
  const deadline = Date.now() + READY_WITHIN_MS;
  for (;;) {
    const answer = await fetch(server.endpoint, { method: 'POST', headers: signed(server, body), body });
    const text = await answer.text();
    if (answer.ok) return text;
    if (!text.includes('not initialized') || Date.now() > deadline) {
      throw new Error(`AssumeRole was answered with ${answer.status}: ${text}`);
    }
    await setTimeout(LOOK_EVERY_MS);
  }
}

const READY_WITHIN_MS = 20_000;
const LOOK_EVERY_MS = 50;

/** The headers of a request to `/`, signed with Signature Version 4 of AWS. */
function signed({ endpoint, accessKey, secretKey }: RunningS3, body: string): Record<string, string> {
  const moment = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const day = moment.slice(0, 8);
  const scope = `${day}/us-east-1/sts/aws4_request`;
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    'host': new URL(endpoint).host,
    'x-amz-content-sha256': sha256(body),
    'x-amz-date': moment,
  };
  const names = Object.keys(headers).join(';');
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`);
  const request = ['POST', '/', '', lines.join(''), names, sha256(body)].join('\n');
  const key = [day, 'us-east-1', 'sts', 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secretKey}`);
  const signature = hmac(key, ['AWS4-HMAC-SHA256', moment, scope, sha256(request)].join('\n')).toString(
    'hex',
  );
  return {
    ...headers,
    authorization: `AWS4-HMAC-SHA256 Credential=${accessKey}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
  };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
