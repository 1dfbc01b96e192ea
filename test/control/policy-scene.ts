import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { readStatusFile } from '../../app/src/control/status-file.ts';
import { openState, type State } from '../../app/src/state/state.ts';
import type { Status } from '../../app/src/status/status.ts';
import { openLocal } from '../../engine/src/backend/local/local.ts';
import type { StoredSnapshot } from '../../engine/src/format/types.ts';
import { systemClock } from '../../engine/src/kernel/clock.ts';
import { openRepository } from '../../engine/src/repository/open.ts';

const PROGRAM = fileURLToPath(new URL('../../holdfast', import.meta.url));

type Variables = Readonly<Record<string, string>>;

export interface Said {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A policy, its repositories and `holdfast up` as a real process, in a directory of a test's own. */
export class PolicyScene implements AsyncDisposable {
  readonly directory: string;
  readonly #environment: Variables;

  private constructor(directory: string) {
    this.directory = directory;
    // Nothing of whoever runs the tests comes through but the PATH.
    this.#environment = { PATH: process.env.PATH ?? '', HOME: directory, TZ: 'UTC' };
  }

  static async create(): Promise<PolicyScene> {
    const directory = await mkdtemp(path.join(tmpdir(), 'holdfast-policy-'));
    // As root, PostgreSQL runs as somebody else, who passes through it.
    await chmod(directory, 0o755);
    const scene = new PolicyScene(directory);
    await writeFile(scene.passwordFile, PASSWORD, { mode: 0o600 });
    return scene;
  }

  path(...names: readonly string[]): string {
    return path.join(this.directory, ...names);
  }

  get passwordFile(): string {
    return this.path('password');
  }

  get policyFile(): string {
    return this.path('holdfast.yaml');
  }

  get stateDirectory(): string {
    return this.path('state');
  }

  /** Makes it. Resolves with how a policy names it. */
  async repository(name: string, more: object = {}): Promise<object> {
    const made = await this.run(['repo', 'init', ...this.access(name)]);
    if (made.exitCode !== 0) throw new Error(made.stderr);
    return { url: this.path(name), password: { file: this.passwordFile }, sameHost: 'accepted', ...more };
  }

  /** How a command reaches a repository of that name. */
  access(name: string): string[] {
    return ['--repo', this.path(name), '--password-file', this.passwordFile];
  }

  /** What really lies in one and can be read, of a source: newest last. */
  async snapshots(name: string, source: string): Promise<StoredSnapshot[]> {
    const repository = await openRepository(await openLocal({ path: this.path(name) }), PASSWORD);
    const all = await repository.loadSnapshots(undefined, () => undefined);
    return all
      .filter(({ tags }) => tags.includes(`source:${source}`))
      .toSorted((a, b) => Date.parse(a.time) - Date.parse(b.time));
  }

  /** Makes a directory with so many files. */
  async files(name: string, count: number): Promise<string> {
    const folder = this.path(name);
    await mkdir(folder, { recursive: true });
    for (let number = 0; number < count; number += 1) {
      await writeFile(path.join(folder, `file-${number}`), `what ${name} has in file ${number}\n`);
    }
    return folder;
  }

  /** JSON is YAML as well. */
  async writePolicy(policy: object): Promise<void> {
    await writeFile(this.policyFile, JSON.stringify(policy, null, 2));
  }

  async run(words: readonly string[], environment: Variables = {}): Promise<Said> {
    const child = this.#spawn(words, environment);
    const [stdout, stderr] = [textOf(child.stdout), textOf(child.stderr)];
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject).once('close', resolve);
    });
    return { exitCode, stdout: stdout(), stderr: stderr() };
  }

  up(environment: Variables = {}): UpProcess {
    const words = ['up', '--state', this.stateDirectory, '--policy', this.policyFile, '--json'];
    return new UpProcess(this.#spawn(words, environment));
  }

  /** The first judgement that is so. */
  async judged(what: string, is: (status: Status) => boolean): Promise<Status> {
    let last: Status | undefined;
    const ask = async () => {
      last = await readStatusFile(this.stateDirectory).catch(() => undefined);
      return last !== undefined && is(last) ? last : undefined;
    };
    return await until(
      what,
      ask,
      () => JSON.stringify({ ...last, problems: undefined }) + JSON.stringify(last?.problems, null, 1),
    );
  }

  /** The control plane's memory, as somebody else who has joined in. */
  async open(databaseUrl?: string): Promise<State> {
    const { signal } = new AbortController();
    const elsewhere = databaseUrl === undefined ? {} : { databaseUrl };
    return await openState({ directory: this.stateDirectory, clock: systemClock, signal, ...elsewhere });
  }

  /** The embedded server's first process, as a machine that runs out of memory does. False when none runs. */
  async killServer(): Promise<boolean> {
    const file = this.path('state/database/data/postmaster.pid');
    const pid = Number((await readFile(file, 'utf8').catch(() => '')).split('\n')[0]);
    if (!(pid > 1) || !isAlive(pid)) return false;
    kill(pid);
    return true;
  }

  /** Command lines of all processes that this scene has started and that still run. */
  async processes(): Promise<Map<number, string>> {
    const found = new Map<number, string>();
    for (const name of await readdir('/proc')) {
      const pid = Number(name);
      if (!(pid > 1) || pid === process.pid) continue;
      const [line, environment] = await Promise.all(
        ['cmdline', 'environ'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')),
      );
      // One that is dead and not yet collected has no command line.
      if (line === undefined || line === '') continue;
      if (`${line}${environment}`.includes(this.directory)) found.set(pid, line.replaceAll('\0', ' '));
    }
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const pid of (await this.processes()).keys()) kill(pid);
    await until('everything has ended', async () => (await this.processes()).size === 0);
    await rm(this.directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }

  #spawn(words: readonly string[], more: Variables) {
    const env = { ...this.#environment, ...more };
    return spawn(PROGRAM, words, { cwd: this.directory, env, stdio: ['ignore', 'pipe', 'pipe'] });
  }
}

/** What `holdfast up --json` says of something that happened. */
export interface UpEvent {
  readonly event: string;
  readonly [name: string]: unknown;
}

/** A control plane that runs. Disposing it kills it. */
export class UpProcess implements AsyncDisposable {
  readonly events: UpEvent[] = [];
  readonly exited: Promise<number | null>;
  readonly #child: ChildProcess;
  #transcript = '';
  #hear: (() => void)[] = [];

  constructor(child: ReturnType<typeof spawn>) {
    const { stdout, stderr } = child;
    if (stdout === null || stderr === null) throw new TypeError('both are pipes');
    this.#child = child;
    this.exited = new Promise((resolve) => child.once('close', resolve));
    createInterface({ input: stdout }).on('line', (line) => {
      this.#transcript += `${line}\n`;
      const record = JSON.parse(line) as UpEvent & { type: string };
      if (record.type === 'event') this.events.push(record);
      this.#ring();
    });
    stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#transcript += text;
    });
    void this.exited.then(() => this.#ring());
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** All that it has written so far, to either stream. */
  get transcript(): string {
    return this.#transcript;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The first event of that kind, among those to come and those that have been; rejects when it ends without. */
  async said(event: string, is: (record: UpEvent) => boolean = () => true): Promise<UpEvent> {
    for (;;) {
      const found = this.events.find((record) => record.event === event && is(record));
      if (found !== undefined) return found;
      if (!this.isRunning) throw new Error(`it ended without "${event}":\n${this.#transcript}`);
      await new Promise<void>((resolve) => this.#hear.push(resolve));
    }
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exited;
  }

  /** Resolves with how long it took, in milliseconds, and its exit code. */
  async stop(): Promise<{ readonly took: number; readonly exitCode: number | null }> {
    const startedAt = Date.now();
    this.#child.kill('SIGTERM');
    const exitCode = await this.exited;
    return { took: Date.now() - startedAt, exitCode };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.isRunning) await this.kill();
  }

  #ring(): void {
    const waiting = this.#hear;
    this.#hear = [];
    for (const hear of waiting) hear();
  }
}

/** Asks again and again; what is asked happens in another process that tells nobody. */
export async function until<Result>(
  what: string,
  ask: () => Promise<Result | false | undefined>,
  instead: () => string = () => '',
): Promise<Result> {
  const endsAt = Date.now() + LONGEST_WAIT;
  for (;;) {
    const answer = await ask();
    if (answer !== false && answer !== undefined) return answer;
    if (Date.now() > endsAt) throw new Error(`it never came to this: ${what}\n${instead()}`);
    await systemClock.sleep(50);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

function textOf(stream: NodeJS.ReadableStream): () => string {
  const pieces: Buffer[] = [];
  stream.on('data', (piece: Buffer) => pieces.push(piece));
  return () => Buffer.concat(pieces).toString();
}

const PASSWORD = 'the password of a test';
/** Milliseconds. */
const LONGEST_WAIT = 90_000;
