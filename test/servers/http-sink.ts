import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A receiver of requests that answers as it is told, or never. */
export interface HttpSink extends AsyncDisposable {
  /** `http://127.0.0.1:port`, without a slash behind. */
  readonly url: string;
  readonly received: readonly Received[];
  /** How it answers from now on; 200 at first. */
  answer(respond: (response: ServerResponse, request: Received) => void): void;
}

export async function startHttpSink(): Promise<HttpSink> {
  const received: Received[] = [];
  let respond = (response: ServerResponse, _request: Received) => {
    response.end('ok');
  };
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const { method = '', url = '', headers } = request;
    const one = { method, path: url, headers, body: Buffer.concat(parts).toString() };
    received.push(one);
    respond(response, one);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    answer(given) {
      respond = given;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
