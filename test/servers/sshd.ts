import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { installWithApt } from './apt.ts';
import { freePort } from './free-port.ts';
import type { Obtained, Server } from './server.ts';

const execute = promisify(execFile);
const PROGRAM = '/usr/sbin/sshd';

export const sshd: Server = {
  name: 'OpenSSH',
  obtain: async () =>
    (await installed()) ??
    (await installWithApt('openssh-server')) ??
    (await installed()) ?? { unavailable: 'openssh-server was installed, but is not there' },
};

async function installed(): Promise<Obtained | undefined> {
  try {
    await access(PROGRAM);
    const { stderr } = await execute('ssh', ['-V']);
    return { path: PROGRAM, version: /OpenSSH_(\S+)/.exec(stderr)?.[1] ?? 'unknown' };
  } catch {
    return undefined;
  }
}

/** A real sshd on loopback that lets in whoever runs the test, by key, and for SFTP only. Disposing stops and removes it. */
export class Sshd implements AsyncDisposable {
  readonly base: string;
  readonly port: number;
  #process: ChildProcess | undefined;
  #log = '';

  private constructor(base: string, port: number) {
    this.base = base;
    this.port = port;
  }

  static async start({ subsystem = 'internal-sftp' } = {}): Promise<Sshd> {
    const server = new Sshd(await mkdtemp(path.join(tmpdir(), 'holdfast-sshd-')), await freePort());
    try {
      await server.#configure(subsystem);
      await server.run();
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
    return server;
  }

  /** Where repositories can lie. */
  get files(): string {
    return path.join(this.base, 'files');
  }

  get user(): string {
    return userInfo().username;
  }

  /** The client's own configuration, which knows the server's key and offers ours: for `ssh -F`. */
  get clientConfiguration(): string {
    return path.join(this.base, 'client.conf');
  }

  get knownHosts(): string {
    return path.join(this.base, 'known_hosts');
  }

  get log(): string {
    return this.#log;
  }

  /** The processes of the connections: those that a stall or a crash concerns. */
  async connections(): Promise<number[]> {
    const { stdout } = await execute('ps', ['-eo', 'pid=,ppid=']);
    const parents = stdout
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/\s+/).map(Number) as [number, number]);
    const below = (parent: number | undefined): number[] =>
      parents.filter(([, of]) => of === parent).flatMap(([pid]) => [pid, ...below(pid)]);
    return below(this.#process?.pid);
  }

  /** Kills every connection, and with `all` the server too: nobody is let in any more. */
  async kill({ all }: { readonly all: boolean }): Promise<void> {
    const connections = await this.connections();
    if (all) await this.#stop();
    for (const pid of connections) signal(pid, 'SIGKILL');
  }

  async run(): Promise<void> {
    const child = spawn(PROGRAM, ['-D', '-e', '-f', path.join(this.base, 'sshd.conf')], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#log = (this.#log + text).slice(-20_000);
    });
    this.#process = child;
    const deadline = Date.now() + 15_000;
    while (!(await listens(this.port))) {
      if (child.exitCode !== null || Date.now() > deadline)
        throw new Error(`sshd did not start:\n${this.#log}`);
      await setTimeout(20);
    }
  }

  /** Gives the server another host key; it counts from the next `run` on. */
  async changeHostKey(): Promise<void> {
    await rm(path.join(this.base, 'host_key'));
    await rm(path.join(this.base, 'host_key.pub'));
    await makeKey(path.join(this.base, 'host_key'));
  }

  async #configure(subsystem: string): Promise<void> {
    const at = (name: string) => path.join(this.base, name);
    await mkdir(this.files);
    // Its privilege separation wants an empty directory, which a service manager would make.
    if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true, mode: 0o755 });
    await Promise.all(['host_key', 'key', 'other_key'].map((name) => makeKey(at(name))));
    await writeFile(at('authorized_keys'), await readFile(at('key.pub')));
    await writeFile(
      at('sshd.conf'),
      lines(
        'ListenAddress 127.0.0.1',
        `Port ${this.port}`,
        `HostKey ${at('host_key')}`,
        `AuthorizedKeysFile ${at('authorized_keys')}`,
        'PidFile none',
        'UsePAM no',
        'StrictModes no',
        'PasswordAuthentication no',
        'PermitRootLogin prohibit-password',
        `Subsystem sftp ${subsystem}`,
      ),
    );
    const hostKey = await readFile(at('host_key.pub'), 'utf8');
    await writeFile(this.knownHosts, `[127.0.0.1]:${this.port} ${hostKey}`);
    await writeFile(
      this.clientConfiguration,
      lines(
        'Host holdfast-test',
        '  HostName 127.0.0.1',
        `  Port ${this.port}`,
        `  User ${this.user}`,
        'Host *',
        `  IdentityFile ${at('key')}`,
        '  IdentitiesOnly yes',
        '  IdentityAgent none',
        `  UserKnownHostsFile ${this.knownHosts}`,
        '  GlobalKnownHostsFile none',
      ),
    );
  }

  async #stop(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill({ all: true });
    await rm(this.base, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function makeKey(file: string): Promise<void> {
  await execute('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'holdfast test', '-f', file]);
}

function lines(...texts: readonly string[]): string {
  return `${texts.join('\n')}\n`;
}

/** Whether it was there to be told. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

async function listens(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, '127.0.0.1')
    .once('connect', () => resolve(true))
    .once('error', () => resolve(false));
  const answer = await promise;
  socket.destroy();
  return answer;
}
