import {
  createServer,
  request as dial,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';

/** What may befall a request on its way to a server or back. */
export type Mischief =
  /** The connection is reset before the server hears of it. */
  | 'reset'
  /** The server does it, and its answer is lost. */
  | 'lost-answer'
  /** Half of the answer, then a reset. */
  | 'cut'
  /** Nothing, for ever. */
  | 'stall'
  /** The server is asked twice, as by a proxy that tries again, and the second answer comes back. */
  | 'twice'
  /** One byte of the answer is another. */
  | 'flip'
  /** The answer is this error of S3. */
  | Refusal;

interface Refusal {
  readonly status: number;
  readonly code: string;
  /** As it stands in the header: in seconds, or a date. */
  readonly retryAfter?: string;
}

/** Between a client and a server that speaks HTTP: whatever `choose` says befalls a request; otherwise it is passed on. */
export class HostileProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #target: URL;
  /** All requests so far, as method and path. */
  readonly requests: string[] = [];
  /** What has befallen them. */
  readonly befallen: Mischief[] = [];
  choose: (method: string, path: string) => Mischief | undefined = () => undefined;

  private constructor(target: URL) {
    this.#target = target;
    this.#server = createServer((incoming, answer) => void this.#pass(incoming, answer));
  }

  static async before(endpoint: string): Promise<HostileProxy> {
    const proxy = new HostileProxy(new URL(endpoint));
    const { promise, resolve } = Promise.withResolvers<void>();
    proxy.#server.listen(0, '127.0.0.1', resolve);
    await promise;
    return proxy;
  }

  get endpoint(): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    await promise;
  }

  async #pass(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/' } = incoming;
    this.requests.push(`${method} ${url}`);
    const mischief = this.choose(method, url);
    if (mischief !== undefined) this.befallen.push(mischief);
    try {
      const body = await gather(incoming);
      if (mischief === 'stall') return;
      if (mischief === 'reset') return void incoming.socket.resetAndDestroy();
      if (typeof mischief === 'object') return refuse(answer, method, mischief);
      if (mischief === 'twice') await this.#ask(incoming, body);
      const { head, content } = await this.#ask(incoming, body);
      if (mischief === 'lost-answer') return void incoming.socket.resetAndDestroy();
      answer.writeHead(head.statusCode ?? 500, head.rawHeaders);
      if (mischief === 'cut') {
        const half = content.subarray(0, Math.floor(content.length / 2));
        return void answer.write(half, () => incoming.socket.resetAndDestroy());
      }
      if (mischief === 'flip' && content.length > 0) content[content.length >> 1]! ^= 1;
      answer.end(content);
    } catch {
      incoming.socket.destroy();
    }
  }

  /** Headers go as they came: they are signed. */
  async #ask(incoming: IncomingMessage, body: Buffer): Promise<{ head: IncomingMessage; content: Buffer }> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const { expect: _, connection: __, ...headers } = incoming.headers;
    const { hostname, port } = this.#target;
    const { method, url } = incoming;
    dial({ hostname, port, method, path: url, headers, agent: false }, resolve).on('error', reject).end(body);
    const head = await promise;
    return { head, content: await gather(head) };
  }
}

function refuse(answer: ServerResponse, method: string, { status, code, retryAfter }: Refusal): void {
  const wait = retryAfter === undefined ? {} : { 'retry-after': retryAfter };
  answer.writeHead(status, { 'content-type': 'application/xml', ...wait });
  const text = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>as the test wants</Message></Error>`;
  answer.end(method === 'HEAD' ? undefined : text);
}

async function gather(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces);
}
