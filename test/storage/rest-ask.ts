import { type IncomingHttpHeaders, request } from 'node:http';

export interface Asked {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface AskOptions {
  readonly login?: readonly [user: string, password: string];
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** Sends a request whose target goes over the wire as it is written: no client tidies `..` away. */
export async function ask(url: string, line: string, options: AskOptions = {}): Promise<Asked> {
  const [method = '', target = ''] = line.split(' ');
  const { hostname, port } = new URL(url);
  const { promise, resolve, reject } = Promise.withResolvers<Asked>();
  const { login, headers = {}, body } = options;
  const asking = request(
    { hostname, port, method, path: target, headers, agent: false, ...(login && { auth: login.join(':') }) },
    (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }));
      answer.on('error', reject);
    },
  );
  asking.on('error', reject).end(body);
  return await promise;
}
