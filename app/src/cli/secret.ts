import { inspect } from 'node:util';

const SHOWN = '[secret]';

/**
 * A text that no log, error, JSON or debugger shows: only `reveal` gives it, at the one place that needs it.
 * It is held in a private field, so that neither `Object.keys` nor `inspect` with `showHidden` finds it.
 */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }

  get empty(): boolean {
    return this.#text === '';
  }

  equals(other: Secret): boolean {
    return this.#text === other.#text;
  }

  toString(): string {
    return SHOWN;
  }

  toJSON(): string {
    return SHOWN;
  }

  [inspect.custom](): string {
    return SHOWN;
  }
}
