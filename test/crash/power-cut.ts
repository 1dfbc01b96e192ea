import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createLocal, openLocal } from '../../engine/src/backend/local/local.ts';
import { systemClock } from '../../engine/src/kernel/clock.ts';
import { isFailure } from '../../engine/src/kernel/failure.ts';
import type { Id } from '../../engine/src/kernel/id.ts';
import { createRepository, openRepository } from '../../engine/src/repository/open.ts';
import { QUICK_KEY } from '../scenes/backup-scene.ts';
import { LoopDisk } from '../scenes/loop-disk.ts';
import { perform } from '../scenes/repository-work.ts';
import { differences, treeFacts } from '../scenes/tree-facts.ts';
import type { Begun, Line, Orders } from './work-loop.ts';

const WORK_LOOP = fileURLToPath(new URL('work-loop.ts', import.meta.url));

export interface Cut {
  readonly seed: string;
  /** When: milliseconds after the first word of the program, or the moment a backup has been promised. */
  readonly at: number | 'promise';
  readonly without?: Orders['without'];
}

/** A repository on a disk whose power is cut while a program works on it, and what that program was promised. */
export class PowerCuts implements Disposable {
  readonly #base = mkdtempSync(join(tmpdir(), 'holdfast-cuts-'));
  readonly #disk = new LoopDisk();
  readonly #repository = join(this.#disk.path, 'repository');
  readonly #tree = join(this.#base, 'source', 'tree');
  #password = 'as it was made';
  /** What each promised snapshot must bring back. */
  readonly #promised = new Map<Id, Record<string, string>>();
  /** How many pieces of work were promised, and how many were cut short. */
  readonly counts = { promised: 0, cutShort: 0 };

  static async create(): Promise<PowerCuts> {
    const cuts = new PowerCuts();
    mkdirSync(cuts.#tree, { recursive: true });
    const backend = await createLocal({ path: cuts.#repository });
    await createRepository(backend, cuts.#password, { clock: systemClock, kdf: QUICK_KEY });
    await backend.close();
    return cuts;
  }

  [Symbol.dispose](): void {
    this.#disk[Symbol.dispose]();
    rmSync(this.#base, { recursive: true, force: true });
  }

  /**
   * Lets a program work until the power is cut, and looks afterwards at all that it was promised; answers what is not
   * so, in sentences. What had begun and was not promised may be there or not, but not in part.
   */
  async cut(cut: Cut): Promise<string[]> {
    const lines = await this.#workUntilCut(cut);
    this.#disk.powerOff();
    this.#disk.powerOn();
    const losses: string[] = [];
    const open = this.#readLines(lines);
    try {
      await this.#settlePassword(open, losses);
      await this.#settleSnapshots(open, losses);
      const never = new AbortController().signal;
      const check = await perform(await this.#backend(), this.#password, { does: 'check' }, never);
      losses.push(...(check.findings ?? []));
    } catch (error) {
      losses.push(`nothing can be read: ${String(error)}`);
    }
    return losses;
  }

  async #workUntilCut({ seed, at, without }: Cut): Promise<Line[]> {
    const orders: Orders = {
      repository: this.#repository,
      password: this.#password,
      tree: this.#tree,
      snapshots: [...this.#promised.keys()],
      seed,
      ...(without === undefined ? {} : { without }),
    };
    const child = spawn(process.execPath, [WORK_LOOP, JSON.stringify(orders)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const closed = once(child, 'close');
    let [output, errors] = ['', ''];
    let cut = false;
    const begun = Promise.withResolvers<void>();
    const promised = Promise.withResolvers<void>();
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (!cut) errors += text;
    });
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      begun.resolve();
      if (output.includes('"done":{"does":"backup"')) promised.resolve();
    });
    await Promise.race([at === 'promise' ? promised.promise : begun.promise.then(() => delay(at)), closed]);
    cut = true;
    this.#disk.cutPower();
    child.kill('SIGKILL');
    await closed;
    if (errors !== '') throw new Error(`the program failed before the cut: ${errors}`);
    // All its words count, the last ones too: whatever it was promised when, was promised.
    return output
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Line);
  }

  /** Takes what was promised into account; answers the one line that had begun and was not. */
  #readLines(lines: readonly Line[]): Begun | undefined {
    let open: Begun | undefined;
    for (const line of lines) {
      if ('begins' in line) {
        open = line;
        continue;
      }
      const { done, snapshot } = line;
      if (done.does === 'backup' && snapshot !== undefined) this.#promised.set(snapshot, open?.facts ?? {});
      if (done.does === 'forget') for (const id of done.snapshots) this.#promised.delete(id);
      if (done.does === 'change password') this.#password = done.to;
      this.counts.promised += 1;
      open = undefined;
    }
    if (open !== undefined) this.counts.cutShort += 1;
    return open;
  }

  async #settlePassword(open: Begun | undefined, losses: string[]): Promise<void> {
    const before = this.#password;
    if (open?.begins.does === 'change password') {
      const { to } = open.begins;
      if (await this.#opens(to)) this.#password = to;
      else if (!(await this.#opens(before))) losses.push('neither the old password nor the new one opens');
    } else if (!(await this.#opens(before))) losses.push('the password that was promised does not open');
  }

  async #settleSnapshots(begun: Begun | undefined, losses: string[]): Promise<void> {
    const inDoubt = new Set(begun?.begins.does === 'forget' ? begun.begins.snapshots : []);
    const there = new Set<Id>();
    for await (const { name } of (await this.#backend()).list('snapshot')) there.add(name as Id);
    for (const id of there) {
      if (this.#promised.has(id)) continue;
      if (begun?.begins.does === 'backup') this.#promised.set(id, begun.facts ?? {});
      else losses.push(`snapshot ${id} came back, or came from nowhere`);
    }
    for (const [id, facts] of this.#promised) {
      if (there.has(id)) losses.push(...(await this.#compare(id, facts)));
      else if (!inDoubt.has(id)) losses.push(`snapshot ${id} is gone`);
      if (!there.has(id)) this.#promised.delete(id);
    }
  }

  async #compare(snapshot: Id, facts: Record<string, string>): Promise<string[]> {
    const target = join(this.#base, 'restored');
    const never = new AbortController().signal;
    try {
      const restore = { does: 'restore', snapshot, target } as const;
      const { findings = [] } = await perform(await this.#backend(), this.#password, restore, never);
      return [...findings, ...differences(facts, treeFacts(join(target, 'tree')))].map(
        (text) => `snapshot ${snapshot}: ${text}`,
      );
    } catch (error) {
      return [`snapshot ${snapshot} cannot be restored: ${String(error)}`];
    } finally {
      rmSync(target, { recursive: true, force: true });
    }
  }

  async #opens(password: string): Promise<boolean> {
    try {
      await openRepository(await this.#backend(), password);
      return true;
    } catch (error) {
      if (isFailure(error, 'repository.wrong-password')) return false;
      throw error;
    }
  }

  #backend() {
    return openLocal({ path: this.#repository });
  }
}
