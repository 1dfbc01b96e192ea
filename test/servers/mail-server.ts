import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import type { Certificates } from '../scenes/certificates.ts';

export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  /** Over TLS. */
  readonly secure: boolean;
  readonly user: string | undefined;
  /** Headers and body as they came. */
  readonly source: string;
}

/** A real SMTP server that keeps what it gets. */
export interface MailServer extends AsyncDisposable {
  readonly port: number;
  readonly mails: readonly Mail[];
}

export interface MailLogin {
  readonly user: string;
  readonly password: string;
}

export async function startMailServer(
  { server }: Certificates,
  login: MailLogin | undefined,
  options: SMTPServerOptions = {},
): Promise<MailServer> {
  const mails: Mail[] = [];
  const smtp = new SMTPServer({
    cert: await readFile(server.certificate),
    key: await readFile(server.key),
    authOptional: login === undefined,
    disableReverseLookup: true,
    onAuth({ username = '', password = '' }, _session, done) {
      if (username === login?.user && password === login.password) return done(null, { user: username });
      // A careless server, whose answer repeats what it was sent.
      return done(new Error(`no such login: ${username} ${password}`));
    },
    onData(stream, session, done) {
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          secure: session.secure,
          user: typeof session.user === 'string' ? session.user : undefined,
          source: Buffer.concat(parts).toString(),
        });
        done();
      });
    },
    ...options,
  });
  // Clients that end in the middle of a handshake are what is being tried.
  smtp.on('error', () => {});
  await new Promise<void>((resolve) => smtp.listen(0, '127.0.0.1', resolve));
  return {
    port: (smtp.server.address() as AddressInfo).port,
    mails,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => smtp.close(() => resolve())),
  };
}
