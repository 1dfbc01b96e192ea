import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CONFIG, openBackend, parseAddress } from '@holdfast/engine';
import { afterAll, expect, test } from 'vitest';
import { makeCertificates } from '../scenes/certificates.ts';

const base = mkdtempSync(path.join(tmpdir(), 'holdfast-certificates-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));

test('a server that wants a certificate from its client gets ours, and nobody in without one', async () => {
  const files = await makeCertificates(base, 'laptop');
  const authority = readFileSync(files.authority);
  const server = createServer(
    {
      ca: authority,
      cert: readFileSync(files.server.certificate),
      key: readFileSync(files.server.key),
      requestCert: true,
      rejectUnauthorized: true,
    },
    (_, response) => response.writeHead(200, { 'Content-Length': 7 }).end('content'),
  );
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  try {
    const address = parseAddress(`rest:https://localhost:${(server.address() as AddressInfo).port}/`);
    const settings = { extended: new Map<string, string>(), environment: {}, authority };
    const both = [files.client.certificate, files.client.key].map((file) => readFileSync(file));
    await using known = closing(
      await openBackend(address, { ...settings, clientCertificate: Buffer.concat(both) }),
    );
    expect(Buffer.from(await known.load(CONFIG)).toString()).toBe('content');
    await using stranger = closing(await openBackend(address, settings));
    await expect(stranger.load(CONFIG)).rejects.toThrow('Could not read config');
  } finally {
    server.close().closeAllConnections();
  }
});

function closing<T extends { close(): Promise<void> }>(backend: T): T & AsyncDisposable {
  return { ...backend, [Symbol.asyncDispose]: () => backend.close() };
}
