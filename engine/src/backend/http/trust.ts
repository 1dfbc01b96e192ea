import { getCACertificates } from 'node:tls';

/** The machine's authorities and ours: one list replaces the other, so both are given. */
export function trusted(authority: Buffer): (string | Buffer)[] {
  return [...getCACertificates('default'), authority];
}

/** What a connection can die of, as Node names it: certificates are no passing trouble. */
export function isUntrusted(code: string | undefined): boolean {
  return code !== undefined && UNTRUSTED.test(code);
}

const UNTRUSTED = /^(CERT_|ERR_TLS_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH)/;

export const TRUST_HINT =
  'The server’s certificate is not trusted here: give its authority with --cacert FILE.';
