import { connect, createServer, type Socket } from 'node:net';

export interface Way {
  /** Milliseconds there and back. */
  readonly roundTrip: number;
  /** Bytes per second in each direction, for all connections together. */
  readonly rate: number;
}

/** A long and narrow way between us and a server. */
export interface SlowProxy extends AsyncDisposable {
  readonly port: number;
}

/** What may be under way on one connection in one direction, in bytes: a sender's window on a good network. */
const WINDOW = 4 * 1024 * 1024;

export async function startSlowProxy(target: number, { roundTrip, rate }: Way): Promise<SlowProxy> {
  const sockets = new Set<Socket>();

  /** One direction. Bytes leave one after the other at the rate, and each arrives half a round trip later. */
  function line(): (from: Socket, to: Socket) => void {
    let free = 0;
    const onTheWay: { readonly at: number; readonly arrive: () => void }[] = [];

    function send(bytes: number, arrive: () => void): void {
      free = Math.max(free, performance.now()) + (bytes / rate) * 1000;
      onTheWay.push({ at: free + roundTrip / 2, arrive });
      if (onTheWay.length === 1) setTimeout(deliver, roundTrip / 2);
    }

    /** In the order of sending, which timers of their own would not keep. */
    function deliver(): void {
      for (let next = onTheWay[0]; next !== undefined; next = onTheWay[0]) {
        const wait = next.at - performance.now();
        if (wait > 0) return void setTimeout(deliver, wait);
        onTheWay.shift();
        next.arrive();
      }
    }

    return (from, to) => {
      let underWay = 0;
      from.on('data', (bytes: Buffer) => {
        underWay += bytes.length;
        if (underWay > WINDOW) from.pause();
        send(bytes.length, () => {
          underWay -= bytes.length;
          if (underWay <= WINDOW) from.resume();
          if (to.writable) to.write(bytes);
        });
      });
      from.on('end', () => send(0, () => to.end()));
    };
  }

  const [up, down] = [line(), line()];
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect({ port: target, host: '127.0.0.1', allowHalfOpen: true });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => sockets.delete(socket));
    }
    up(client, upstream);
    down(upstream, client);
  });
  const listening = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', () => listening.resolve());
  await listening.promise;
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      await closed.promise;
    },
  };
}
