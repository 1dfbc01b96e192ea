import { createTransport } from 'nodemailer';
import { formatDuration } from '../../cli/format.ts';
import type { Secret } from '../../cli/secret.ts';
import { wordingOf } from '../wording.ts';
import { htmlLetter, textLetter } from './email-letter.ts';
import type { Letter, Sent } from './sending.ts';

export interface EmailTarget {
  /**
   * `smtps://`, or `smtp://` with STARTTLS. `?tls=off` waives that, and so does a server on this machine that is given no
   * login: nothing leaves the machine, and its certificate is rarely more than a placeholder.
   */
  readonly server: Secret;
  readonly from: string;
  readonly to: readonly string[];
  readonly timeLimit: number;
}

/** A mail with more roots is about everything. */
const MOST_ROOTS = 10;
const LOOPBACK: readonly string[] = ['localhost', '127.0.0.1', '[::1]'];
const SUBMISSION_PORTS = { 'smtp:': 587, 'smtps:': 465 } as const;

/**
 * Sends one mail, as text and as HTML. Mails about the same incident refer to the same root, so that they stand in one
 * thread. Beyond this machine none is sent without TLS unless the address says so, and a login never is.
 */
export async function sendByEmail(letter: Letter, target: EmailTarget, signal: AbortSignal): Promise<Sent> {
  const server = parseServer(target.server);
  if ('refusal' in server) return { ok: false, message: server.refusal };
  const limit = AbortSignal.timeout(target.timeLimit);
  const transport = createTransport({
    ...server,
    // Each phase has its own limit there; the sum of them is ours.
    connectionTimeout: target.timeLimit,
    greetingTimeout: target.timeLimit,
    socketTimeout: target.timeLimit,
    dnsTimeout: target.timeLimit,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  try {
    const sending = transport.sendMail(mailOf(letter, target));
    await Promise.race([sending, aborted(AbortSignal.any([signal, limit]))]);
    return { ok: true };
  } catch (error) {
    signal.throwIfAborted();
    if (limit.aborted)
      return { ok: false, message: `it did not answer within ${formatDuration(target.timeLimit)}` };
    return refusalOf(error);
  } finally {
    transport.close();
  }
}

type Server =
  | {
      readonly host: string;
      readonly port: number;
      readonly secure: boolean;
      readonly requireTLS: boolean;
      readonly ignoreTLS: boolean;
      readonly auth?: { readonly user: string; readonly pass: string };
    }
  | { readonly refusal: string };

function parseServer(address: Secret): Server {
  const url = URL.parse(address.reveal());
  const protocol = url?.protocol;
  if (url === null || (protocol !== 'smtp:' && protocol !== 'smtps:') || url.hostname === '') {
    return { refusal: 'its server is no smtp:// or smtps:// address' };
  }
  const local = LOOPBACK.includes(url.hostname) && url.username === '';
  const tls = url.searchParams.get('tls') ?? (local ? 'off' : 'required');
  if (tls !== 'required' && tls !== 'off')
    return { refusal: 'its address says neither tls=required nor tls=off' };
  const open = protocol === 'smtp:' && tls === 'off';
  if (open && url.username !== '') {
    return { refusal: 'its address has a login and tls=off: a password is not sent in the clear' };
  }
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? SUBMISSION_PORTS[protocol] : Number(url.port),
    secure: protocol === 'smtps:',
    requireTLS: protocol === 'smtp:' && !open,
    ignoreTLS: open,
    ...(url.username === ''
      ? {}
      : { auth: { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) } }),
  };
}

function mailOf(letter: Letter, { from, to }: EmailTarget) {
  const wording = wordingOf(letter.message, letter.letterhead);
  const domain = `${slug(letter.letterhead.stack)}.holdfast.invalid`;
  const roots = [...new Set(letter.message.news.map(({ incident }) => incident))]
    .slice(0, MOST_ROOTS)
    .map((incident) => `<incident-${incident}@${domain}>`);
  const [root] = roots;
  return {
    from,
    to: [...to],
    subject: wording.subject,
    text: textLetter(wording, letter.letterhead),
    html: htmlLetter(wording, letter.letterhead),
    date: new Date(letter.message.at),
    messageId: `<delivery-${letter.id}@${domain}>`,
    ...(root === undefined ? {} : { inReplyTo: root, references: roots }),
    headers: {
      'List-Id': `Alerts of ${slug(letter.letterhead.stack)} <${domain}>`,
      // Nobody is there to read an answer that a program makes.
      'Auto-Submitted': 'auto-generated',
    },
  };
}

function slug(stack: string): string {
  return (
    stack
      .toLowerCase()
      .replace(/[^a-z0-9-]+/g, '-')
      .replace(/^-|-$/g, '') || 'stack'
  );
}

/** By the code of what went wrong; a server's own words could repeat what it was sent. */
function refusalOf(error: unknown): Sent {
  const { code, responseCode } = error as { code?: string; responseCode?: number };
  const answer = responseCode === undefined ? '' : ` (it answered ${responseCode})`;
  const known = code === undefined ? undefined : REFUSALS[code];
  return {
    ok: false,
    message: `${known ?? `the mail was not taken${code === undefined ? '' : ` (${code})`}`}${answer}`,
  };
}

const REFUSALS: Readonly<Record<string, string>> = {
  EAUTH: 'the mail server refused our login',
  ENOAUTH: 'the mail server wants a login',
  ETLS: 'the mail server offers no TLS, or TLS failed; smtp://…?tls=off does without',
  EENVELOPE: 'the mail server refused sender or recipients',
  EMESSAGE: 'the mail server refused the mail',
  ESTREAM: 'the mail server refused the mail',
  ECONNECTION: 'the mail server could not be reached, or closed the connection',
  ESOCKET: 'the mail server could not be reached, or its certificate is not trusted',
  ECONNREFUSED: 'nobody listens at the address of the mail server',
  EDNS: 'the name of the mail server is not known',
  ETIMEDOUT: 'the mail server did not answer in time',
  EPROTOCOL: 'what answered is no mail server',
};

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    if (signal.aborted) reject(signal.reason);
  });
}
