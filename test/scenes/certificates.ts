import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

export interface Certificates {
  /** Files in PEM. */
  readonly authority: string;
  readonly server: { readonly certificate: string; readonly key: string };
  readonly client: { readonly certificate: string; readonly key: string };
  /** An authority that signed none of these. */
  readonly stranger: string;
}

/** An authority, a server's certificate for `localhost` and a client's for `user`, below `directory`. */
export async function makeCertificates(directory: string, user: string): Promise<Certificates> {
  const file = (name: string) => path.join(directory, name);
  const openssl = (...words: string[]) => execute('openssl', words, { cwd: directory });
  const authority = async (name: string) => {
    const subject = ['-subj', `/CN=${name}`, '-days', '2', '-nodes'];
    await openssl(
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      ...subject,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.pem`,
    );
  };
  const signed = async (name: string, subject: string, ...extensions: string[]) => {
    const request = ['-newkey', 'rsa:2048', '-nodes', '-subj', `/CN=${subject}`, ...extensions];
    await openssl('req', ...request, '-keyout', `${name}.key`, '-out', `${name}.csr`);
    const signing = ['-CA', 'ours.pem', '-CAkey', 'ours.key', '-CAcreateserial', '-days', '2'];
    await openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      ...signing,
      '-copy_extensions',
      'copy',
      '-out',
      `${name}.pem`,
    );
    return { certificate: file(`${name}.pem`), key: file(`${name}.key`) };
  };
  await authority('ours');
  await authority('stranger');
  return {
    authority: file('ours.pem'),
    stranger: file('stranger.pem'),
    server: await signed('server', 'localhost', '-addext', 'subjectAltName=DNS:localhost'),
    client: await signed('client', user),
  };
}
