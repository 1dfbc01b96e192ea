import { appendFileSync } from 'node:fs';
import type { Command, Ending, Mishap } from './program.ts';

/** Everything that was done, with its times in seconds since the beginning, in the order in which it ended. */
export class Logbook {
  readonly #path: string;
  readonly #startedAt = performance.now();
  readonly #lines: string[] = [];
  #number = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** Writes that something begins; what it answers writes how it ended. */
  begin(name: string, command: Command, mishap: Mishap | undefined): (ending: Ending) => void {
    this.#number += 1;
    const number = this.#number;
    const began = this.#now();
    const address = command.environment['HOLDFAST_REPOSITORY'] ?? command.environment['RESTIC_REPOSITORY'];
    const fate = mishap === undefined ? '' : `, ${mishap.kind} after ${mishap.after} ms`;
    return (ending) => {
      const how = 'code' in ending ? `gave up: ${ending.code}` : ending.how;
      const typed = `${command.by} ${command.words.join(' ')}`;
      this.note(`#${number} ${name}${fate}: ${how} · ${typed} · ${address}`, began);
    };
  }

  note(text: string, began = this.#now()): void {
    const line = `${began.toFixed(2).padStart(8)} – ${this.#now().toFixed(2).padStart(8)} s  ${text}`;
    this.#lines.push(line);
    appendFileSync(this.#path, `${line}\n`);
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  #now(): number {
    return (performance.now() - this.#startedAt) / 1000;
  }
}
