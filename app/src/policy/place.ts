import type { PlainOrSecret } from './model.ts';

/** Where a repository stands, as far as its address tells: the host that it names. */

export const THIS_HOST = 'this host';
export const UNKNOWN_PLACE = 'unknown';

export function defaultPlace(url: PlainOrSecret): string {
  if (url.kind !== 'plain') return UNKNOWN_PLACE;
  return hostInAddress(url.text) ?? THIS_HOST;
}

/** The host of a repository's address; undefined for a directory or a socket of this machine. */
export function hostInAddress(address: string): string | undefined {
  const [, scheme = '', rest = ''] = /^(s3|sftp|rest):(.*)$/s.exec(address) ?? [];
  if (scheme === 'sftp' && !rest.startsWith('//')) {
    return /^(?:[^:@/]+@)?(\[[^\]]+\]|[^:/]+):/.exec(rest)?.[1]?.replace(/^\[|\]$/g, '') ?? UNKNOWN_PLACE;
  }
  if (scheme === '' || rest.startsWith('http+unix:')) return undefined;
  const url = /^[a-z]+:\/\//.test(rest) ? rest : `https://${rest.replace(/^\/\//, '')}`;
  return URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, '') : UNKNOWN_PLACE;
}
