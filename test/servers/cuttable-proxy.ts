import { connect, createServer, type Socket } from 'node:net';

/** A network between us and a server that can be cut. */
export interface CuttableProxy extends AsyncDisposable {
  readonly port: number;
  /** Bytes that the server has sent through it so far, over all connections. */
  received(): number;
  /** Called whenever the server has sent something. */
  onReceived: (() => void) | undefined;
  /** From now on nothing passes, and nobody is told: no end, no reset. */
  cut(): void;
}

export async function startCuttableProxy(target: number): Promise<CuttableProxy> {
  const sockets = new Set<Socket>();
  let received = 0;
  let whole = true;
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('error', () => undefined);
      from.on('close', () => {
        sockets.delete(from);
        if (whole) to.destroy();
      });
      from.on('data', (bytes: Buffer) => {
        if (!whole) return;
        if (from === upstream) {
          received += bytes.length;
          proxy.onReceived?.();
        }
        if (!to.write(bytes)) {
          from.pause();
          to.once('drain', () => from.resume());
        }
      });
    }
  });
  const listening = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', () => listening.resolve());
  await listening.promise;
  const address = server.address();
  const proxy: CuttableProxy = {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    received: () => received,
    onReceived: undefined,
    cut: () => {
      whole = false;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      await closed.promise;
    },
  };
  return proxy;
}
