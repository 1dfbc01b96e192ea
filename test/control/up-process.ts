import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../app/src/main.ts', import.meta.url));

export type UpRecord = Readonly<Record<string, unknown>>;

/** `holdfast up --json` in a process of its own, heard line by line. Disposing it stops it cleanly. */
export class UpProcess implements AsyncDisposable {
  readonly records: UpRecord[] = [];
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  readonly #waiting = new Set<() => void>();
  #errors = '';

  constructor(
    options: { readonly policy: string; readonly state: string },
    environment: Readonly<Record<string, string>> = {},
  ) {
    const { policy, state } = options;
    const words = ['--conditions=source', '--disable-warning=ExperimentalWarning', MAIN, 'up', '--json'];
    this.#child = spawn(process.execPath, [...words, '--policy', policy, '--state', state], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    });
    const { stdout, stderr } = this.#child;
    if (stdout === null || stderr === null) throw new TypeError('both are pipes');
    stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#errors += text;
    });
    createInterface({ input: stdout }).on('line', (line) => {
      this.records.push(JSON.parse(line) as UpRecord);
      for (const look of this.#waiting) look();
    });
    const ended = Promise.withResolvers<number | null>();
    this.#child.once('close', (code) => {
      ended.resolve(code);
      for (const look of this.#waiting) look();
    });
    this.#ended = ended.promise;
  }

  /** The first record that is like that. Rejects with what it said when it ended without. */
  async said(like: UpRecord): Promise<UpRecord> {
    const { promise, resolve, reject } = Promise.withResolvers<UpRecord>();
    const look = () => {
      const found = this.records.find((record) =>
        Object.entries(like).every(([key, value]) => record[key] === value),
      );
      if (found !== undefined) return resolve(found);
      const { exitCode, signalCode } = this.#child;
      if (exitCode !== null || signalCode !== null) {
        reject(new Error(`holdfast up ended (${exitCode ?? signalCode}): ${this.#errors}`));
      }
    };
    this.#waiting.add(look);
    look();
    return await promise.finally(() => this.#waiting.delete(look));
  }

  /** As Ctrl-C does. Its exit code. */
  async stop(): Promise<number | null> {
    this.#child.kill('SIGINT');
    return await this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
