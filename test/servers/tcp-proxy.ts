import { createServer, connect as dial, type Server, type Socket } from 'node:net';

/** A network of our own before a server, which can be cut, fall silent, and be slow. */
export class TcpProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #target: number;
  readonly #sockets = new Set<Socket>();
  /** Milliseconds that every piece takes on its way. */
  delay = 0;
  /** Bytes that the server has sent so far, over all connections. */
  received = 0;
  /** Called whenever the server has sent something. */
  onReceived: () => void = () => {};
  #cut = false;
  #stalled = false;

  private constructor(server: Server, target: number) {
    this.#server = server;
    this.#target = target;
    server.on('connection', (socket) => this.#accept(socket));
  }

  static async before(port: number): Promise<TcpProxy> {
    const server = createServer({ pauseOnConnect: true });
    const { promise, resolve } = Promise.withResolvers<void>();
    server.listen(0, '127.0.0.1', resolve);
    await promise;
    return new TcpProxy(server, port);
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    await promise;
  }

  /** Resets every connection, and every new one. */
  cut(): void {
    this.#cut = true;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Passes nothing on any more, not even that somebody hung up: what a firewall that forgot a connection does. */
  stall(): void {
    this.#stalled = true;
    for (const socket of this.#sockets) socket.pause();
  }

  /** New connections are as they should be; those that were stalled stay so for ever. */
  mend(): void {
    this.#cut = false;
    this.#stalled = false;
  }

  #accept(client: Socket): void {
    if (this.#cut) return void client.resetAndDestroy();
    const server = dial({ port: this.#target, host: '127.0.0.1', allowHalfOpen: true });
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(from);
      from.on('data', (bytes) => {
        if (from === server) {
          this.received += bytes.length;
          this.onReceived();
        }
        if (this.delay !== 0) setTimeout(() => to.write(bytes), this.delay);
        else if (!to.write(bytes)) {
          // Who is slow holds the other end back, as without us.
          from.pause();
          to.once('drain', () => {
            if (!this.#stalled) from.resume();
          });
        }
      });
      from.on('error', () => undefined);
      from.once('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
      if (this.#stalled) from.pause();
      else from.resume();
    }
  }
}
