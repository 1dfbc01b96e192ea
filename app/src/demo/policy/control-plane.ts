import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, Failure, isFailure } from '@holdfast/engine';
import type { ReadStatus } from '../../cli/commands/status.ts';
import type { Machine } from '../../operations/machine.ts';
import type { Status } from '../../status/status.ts';
import { PID_FILE } from './left-control-plane.ts';

export interface ControlPlaneSetting {
  readonly machine: Pick<Machine, 'program' | 'environment'>;
  readonly readStatus: ReadStatus;
  readonly stateDirectory: string;
  readonly policyFile: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** `holdfast up`, as a process of its own. */
export class ControlPlane implements AsyncDisposable {
  readonly #setting: ControlPlaneSetting;
  readonly #startedAt: number;
  readonly #process: ChildProcess;
  readonly #exited: Promise<void>;
  #said = '';

  private constructor(setting: ControlPlaneSetting, child: ChildProcess) {
    this.#setting = setting;
    this.#startedAt = setting.clock.now();
    this.#process = child;
    const exited = Promise.withResolvers<void>();
    child.once('exit', () => exited.resolve()).once('error', () => exited.resolve());
    this.#exited = exited.promise;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#said = (this.#said + text).slice(-MOST_SAID);
    });
  }

  static async start(setting: ControlPlaneSetting): Promise<ControlPlane> {
    const { machine, stateDirectory, policyFile } = setting;
    const [command, ...words] = machine.program;
    await mkdir(stateDirectory, { recursive: true });
    // Whatever the umask says: as root the user of its database passes through.
    await chmod(stateDirectory, 0o755);
    const child = spawn(command, [...words, 'up', '--state', stateDirectory, '--policy', policyFile], {
      env: ownEnvironment(machine.environment),
      stdio: ['ignore', 'ignore', 'pipe'],
      // A Ctrl-C on our terminal is for us: a second signal would cut its orderly end short.
      detached: true,
    });
    const plane = new ControlPlane(setting, child);
    if (child.pid !== undefined) await writeFile(join(stateDirectory, PID_FILE), String(child.pid));
    return plane;
  }

  /** Resolves with its first judgement of that kind; rejects when it has ended, or none comes. */
  async judges(isMeant: (status: Status) => boolean): Promise<Status> {
    const { clock, signal } = this.#setting;
    const deadline = clock.now() + LONGEST_WAIT;
    for (;;) {
      const status = await this.#status();
      if (status !== undefined && status.at >= this.#startedAt && isMeant(status)) return status;
      if (this.#process.pid === undefined || this.#process.exitCode !== null) throw this.#ended();
      if (clock.now() > deadline) throw notJudged(status);
      await clock.sleep(LOOK_EVERY, signal);
    }
  }

  /** As a service manager does: what is under way is ended cleanly. */
  async stop(): Promise<void> {
    if (this.#process.pid === undefined || this.#process.exitCode !== null) return;
    this.#process.kill('SIGTERM');
    await this.#exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #status(): Promise<Status | undefined> {
    const { readStatus, stateDirectory, signal } = this.#setting;
    try {
      return await readStatus({ state: stateDirectory }, signal);
    } catch (error) {
      if (isFailure(error, 'state.missing')) return undefined;
      throw error;
    }
  }

  #ended(): Failure {
    const said = this.#said.trimEnd();
    return new Failure('internal', 'holdfast up has ended', {
      subject: this.#setting.policyFile,
      hint: `The last that it said:\n${said === '' ? 'nothing' : said}`,
    });
  }
}

function notJudged(status: Status | undefined): Failure {
  const problems = status?.problems.map(({ message }) => message) ?? [];
  return new Failure('internal', 'the control plane of the demo did not come to the judgement that was due', {
    hint: ['The last that was wrong:', ...(problems.length === 0 ? ['nothing'] : problems)].join('\n'),
  });
}

/** Without what would lead it to a policy, a state or a database of whoever looks on. */
function ownEnvironment(environment: Machine['environment']): NodeJS.ProcessEnv {
  const kept = Object.entries(environment).filter(
    ([name]) => !name.startsWith('HOLDFAST_') && name !== 'DATABASE_URL',
  );
  return Object.fromEntries(kept);
}

/** Milliseconds. */
const LOOK_EVERY = 100;
const LONGEST_WAIT = 120_000;
/** Characters. */
const MOST_SAID = 4000;
