import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { inspect } from 'node:util';
import type { SMTPServerOptions } from 'smtp-server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sendByEmail } from '../../app/src/alert/channel/email.ts';
import type { Letter } from '../../app/src/alert/channel/sending.ts';
import { Secret } from '../../app/src/cli/secret.ts';
import { type Certificates, makeCertificates } from '../scenes/certificates.ts';
import { startMailServer } from '../servers/mail-server.ts';
import { failedRun, letterOf } from './letters.ts';

const never = new AbortController().signal;
const login = { user: 'holdfast', password: 'planted p@ss/word' };
const trusted = getCACertificates('default');

let directory: string;
let certificates: Certificates;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'holdfast-mail-'));
  certificates = await makeCertificates(directory, 'ann');
  setDefaultCACertificates([...trusted, await readFile(certificates.authority, 'utf8')]);
});
afterAll(async () => {
  setDefaultCACertificates(trusted);
  await rm(directory, { recursive: true, force: true });
});

describe('a mail', () => {
  test('goes over STARTTLS, after a login, as text and as HTML', async () => {
    await using server = await startMailServer(certificates, login);
    expect(await send(withLogin('smtp', server.port))).toEqual({ ok: true });
    const [mail] = server.mails;
    expect(mail).toMatchObject({
      from: 'holdfast@shop.example',
      to: ['ops@shop.example', 'duty@shop.example'],
      secure: true,
      user: 'holdfast',
    });
    const source = plain(mail?.source);
    expect(source).toContain('multipart/alternative');
    expect(source).toContain('The last snapshot of media failed: <the source> & its login.');
    expect(source).toContain('The last snapshot of media failed: &#60;the source&#62; &#38; its login.');
    expect(source).toContain('List-ID: Alerts of shop-co <shop-co.holdfast.invalid>');
    expect(source).toContain('Message-ID: <delivery-a1b2@shop-co.holdfast.invalid>');
    expect(source).toContain('Auto-Submitted: auto-generated');
  });

  test('goes over TLS from the beginning where the address says smtps', async () => {
    await using server = await startMailServer(certificates, login, { secure: true });
    expect(await send(withLogin('smtps', server.port))).toEqual({ ok: true });
    expect(server.mails[0]?.secure).toBe(true);
  });

  test('about the end of an incident stands in the thread of its beginning', async () => {
    await using server = await startMailServer(certificates, login);
    const address = withLogin('smtp', server.port);
    await send(address);
    await send(address, letterOf([{ ...failedRun, kind: 'resolved', until: failedRun.since + 1 }], 'c3d4'));
    const roots = server.mails.map(({ source }) => /^References: (.*)\r$/m.exec(source)?.[1]);
    expect(roots).toEqual(Array(2).fill('<incident-0123456789abcdef@shop-co.holdfast.invalid>'));
  });

  test('cannot be made to have more headers by what a source is called', async () => {
    await using server = await startMailServer(certificates, login);
    const news = { ...failedRun, about: 'media\r\nBcc: eve@evil.example\r\n\r\nx' };
    await send(withLogin('smtp', server.port), letterOf([news]));
    expect(server.mails[0]?.to).not.toContain('eve@evil.example');
    expect(server.mails[0]?.source).not.toMatch(/^Bcc:/m);
  });
});

describe('a mail server', () => {
  const withoutTls: SMTPServerOptions = { disabledCommands: ['STARTTLS'], authOptional: true };

  test('without TLS gets nothing, neither mail nor password', async () => {
    await using server = await startMailServer(certificates, login, withoutTls);
    expect(await send(withLogin('smtp', server.port))).toMatchObject({
      ok: false,
      message: expect.stringContaining('offers no TLS'),
    });
    expect(server.mails).toEqual([]);
  });

  test('without TLS is used where the address says so or it is on this machine, and then without a login', async () => {
    await using server = await startMailServer(certificates, undefined, withoutTls);
    for (const waived of ['?tls=off', '']) {
      expect(await send(`smtp://localhost:${server.port}${waived}`)).toEqual({ ok: true });
    }
    expect(await send(`smtp://localhost:${server.port}?tls=required`)).toMatchObject({ ok: false });
    expect(await send(`${withLogin('smtp', server.port)}?tls=off`)).toMatchObject({
      ok: false,
      message: expect.stringContaining('not sent in the clear'),
    });
    expect(server.mails).toHaveLength(2);
  });

  test('whose certificate nobody vouches for gets nothing', async () => {
    await using server = await startMailServer(certificates, login);
    setDefaultCACertificates(trusted);
    try {
      expect(await send(withLogin('smtp', server.port))).toMatchObject({ ok: false });
    } finally {
      setDefaultCACertificates([...trusted, await readFile(certificates.authority, 'utf8')]);
    }
    expect(server.mails).toEqual([]);
  });

  test('under another name than its certificate’s gets nothing', async () => {
    await using server = await startMailServer(certificates, login);
    expect(await send(withLogin('smtp', server.port, '127.0.0.1'))).toMatchObject({ ok: false });
    expect(server.mails).toEqual([]);
  });

  test('that refuses the login is told so', async () => {
    await using server = await startMailServer(certificates, { user: 'holdfast', password: 'another' });
    expect(await send(withLogin('smtp', server.port))).toMatchObject({
      ok: false,
      message: expect.stringContaining('refused our login'),
    });
  });

  test('that refuses the recipient is told so', async () => {
    await using server = await startMailServer(certificates, login, {
      onRcptTo: (_address, _session, done) => done(new Error('no such user')),
    });
    expect(await send(withLogin('smtp', server.port))).toMatchObject({
      ok: false,
      message: expect.stringContaining('refused sender or recipients'),
    });
  });

  test('that never says a word is given up in time', async () => {
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo;
    expect(await send(withLogin('smtp', port), letterOf(), 150)).toMatchObject({ ok: false });
    silent.close();
  });

  test('that is not there is told so', async () => {
    expect(await send(withLogin('smtp', 1))).toMatchObject({ ok: false });
  });

  test('never makes us repeat its password, whatever goes wrong', async () => {
    await using server = await startMailServer(certificates, { user: 'holdfast', password: 'another' });
    const said = [
      await send(withLogin('smtp', server.port)),
      await send(withLogin('smtps', server.port)),
      await send(withLogin('smtp', server.port, 'no-such-host.invalid')),
      await send(withLogin('http', server.port)),
      await send(`smtp://holdfast:${encodeURIComponent(login.password)}@`),
    ];
    expect(said.filter(({ ok }) => ok)).toEqual([]);
    expect(inspect(said, { depth: 9, showHidden: true })).not.toMatch(/planted|p@ss|p%40ss/);
  });
});

function withLogin(scheme: string, port: number, host = 'localhost'): string {
  return `${scheme}://${login.user}:${encodeURIComponent(login.password)}@${host}:${port}`;
}

function send(address: string, letter: Letter = letterOf(), timeLimit = 5000) {
  const target = {
    server: new Secret(address),
    from: 'holdfast@shop.example',
    to: ['ops@shop.example', 'duty@shop.example'],
    timeLimit,
  };
  return sendByEmail(letter, target, never);
}

/** Headers and parts with their lines joined and their quoted characters written out. */
function plain(source = ''): string {
  const joined = source.replaceAll('=\r\n', '').replaceAll('\r\n ', ' ');
  return Buffer.from(
    joined.replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  ).toString();
}
