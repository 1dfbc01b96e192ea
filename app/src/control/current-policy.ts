import { type Clock, type Failure, type Finding, isFailure } from '@holdfast/engine';
import type { Policy } from '../policy/model.ts';
import { FileWatch, type PolicyText, readPolicyText } from './policy-file.ts';

/** A policy that is gone by, and since when. */
export interface LoadedPolicy {
  readonly policy: Policy;
  readonly text: PolicyText;
  /** What it promises and may not keep. */
  readonly doubts: readonly Finding[];
  readonly since: number;
}

export interface CurrentPolicyOptions {
  readonly file: string;
  /** Rejects with `usage` where the text is no policy; the message tells all that is wrong. */
  readonly parse: (text: PolicyText) => Promise<Pick<LoadedPolicy, 'policy' | 'doubts'>>;
  readonly clock: Clock;
}

/**
 * The policy that is gone by. A file that changes is read and checked first: a bad one is refused, and the old one stays
 * until somebody has mended it.
 */
export class CurrentPolicy {
  readonly #options: CurrentPolicyOptions;
  readonly #watch: FileWatch;
  #loaded: LoadedPolicy;
  #refused: Failure | undefined;

  private constructor(options: CurrentPolicyOptions, watch: FileWatch, loaded: LoadedPolicy) {
    this.#options = options;
    this.#watch = watch;
    this.#loaded = loaded;
  }

  /** Rejects when the policy is none: there is no old one yet. */
  static async open(options: CurrentPolicyOptions): Promise<CurrentPolicy> {
    const watch = new FileWatch(options.file);
    await watch.changed();
    return new CurrentPolicy(options, watch, await load(options));
  }

  get loaded(): LoadedPolicy {
    return this.#loaded;
  }

  /** Why what is in the file now is not gone by; undefined when it is. */
  get refused(): Failure | undefined {
    return this.#refused;
  }

  /** Looks at the file again. `refused` and `changed` are told once for each change. */
  async look(): Promise<'same' | 'changed' | 'refused'> {
    if (!(await this.#watch.changed())) return 'same';
    try {
      const loaded = await load(this.#options);
      this.#refused = undefined;
      if (loaded.text.hash === this.#loaded.text.hash) return 'same';
      this.#loaded = loaded;
      return 'changed';
    } catch (error) {
      if (!isFailure(error)) throw error;
      this.#refused = error;
      return 'refused';
    }
  }
}

async function load({ file, parse, clock }: CurrentPolicyOptions): Promise<LoadedPolicy> {
  const text = await readPolicyText(file);
  return { text, ...(await parse(text)), since: clock.now() };
}
