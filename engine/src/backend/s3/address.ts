import { Failure } from '../../kernel/failure.ts';

/** A repository on an S3 server. */
export interface S3Place {
  /** Scheme, host and port, without a path: `https://s3.amazonaws.com`. */
  readonly endpoint: string;
  readonly bucket: string;
  /** What the keys begin with: empty, or without slashes at its ends. */
  readonly prefix: string;
}

/**
 * Reads what follows `s3:` in restic's notation: `https://host[:port]/bucket[/prefix]`, `http://…`, or
 * `host[:port]/bucket[/prefix]`, which is https. Throws `usage`.
 */
export function parseS3Address(rest: string): S3Place {
  const text = /^https?:\/\//.test(rest) ? rest : `https://${rest.replace(/^\/\//, '')}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const [bucket = '', ...prefix] = (url?.pathname ?? '').split('/').filter((part) => part !== '');
  if (url === undefined || bucket === '' || url.search !== '' || url.hash !== '') {
    throw new Failure('usage', 'The address of the repository does not name a server and a bucket.', {
      hint: 'It has the form s3:https://host:9000/bucket/folder; the folder is optional.',
    });
  }
  if (url.username !== '' || url.password !== '') {
    throw new Failure(
      'usage',
      'Keys do not belong into the address of an S3 repository, where ps shows them.',
      {
        hint: 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile with -o s3.profile=NAME.',
      },
    );
  }
  return {
    endpoint: url.origin,
    bucket: decodeURIComponent(bucket),
    prefix: prefix.map(decodeURIComponent).join('/'),
  };
}

/** restic's notation, for people and for copying. */
export function formatS3Address({ endpoint, bucket, prefix }: S3Place): string {
  return `s3:${[endpoint, bucket, ...(prefix === '' ? [] : [prefix])].join('/')}`;
}

/** Amazon's own servers find a bucket by host name; others are asked by path, which works without a DNS entry each. */
export function isAmazon(endpoint: string): boolean {
  return /(^|\.)amazonaws\.com(\.cn)?$/.test(new URL(endpoint).hostname);
}

/** The region that is part of an address of Amazon's: `https://s3.eu-central-1.amazonaws.com`. */
export function regionIn(endpoint: string): string | undefined {
  if (!isAmazon(endpoint)) return undefined;
  return /(?:^|\.)s3[.-](?:dualstack\.)?([a-z]{2}(?:-[a-z]+)+-\d+)\./.exec(new URL(endpoint).hostname)?.[1];
}
