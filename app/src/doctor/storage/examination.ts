import {
  type Backend,
  BrokenPromise,
  beginTrial,
  type Clock,
  CONFIG,
  isFailure,
  lastCall,
  PROMISES,
  type Trial,
} from '@holdfast/engine';

/** What was seen of a storage. */
export interface StorageFacts {
  readonly location: string;
  readonly removable: boolean;
  /** Sentences of promises. */
  readonly kept: readonly string[];
  readonly broken: readonly { readonly sentence: string; readonly why: string }[];
  /** Milliseconds of a small question, the median of several. */
  readonly latency: number;
  /** Absent where nothing can be removed: it would leave too much. */
  readonly speed?: Speed;
  /** Names of files that could not be taken away. */
  readonly left: readonly string[];
}

export interface Speed {
  readonly bytes: number;
  /** Milliseconds. */
  readonly up: number;
  readonly down: number;
}

/**
 * Tries the promises on files of its own and takes them away, however it ends. Asks first with one file whether it can
 * be removed, so that a place that only takes additions is left with little. Rejects when there is no repository
 * (`backend.not-found`) or when the storage cannot be used at all.
 */
export async function examineStorage(
  backend: Backend,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<StorageFacts> {
  const latency = await latencyOf(backend, clock, signal);
  const trial = beginTrial(backend, signal);
  let facts: Omit<StorageFacts, 'left'>;
  try {
    const removable = await canRemove(trial);
    const { kept, broken } = await tryPromises(trial, removable);
    const speed = removable ? { speed: await speedOf(trial, clock) } : {};
    facts = { location: backend.location, removable, kept, broken, latency, ...speed };
  } catch (error) {
    await trial.clear(lastCall(signal));
    throw error;
  }
  const left = await trial.clear(lastCall(signal));
  return { ...facts, left: left.map(({ name }) => name) };
}

/** Whether what is saved can be removed again, tried with one small file: where it cannot, that stays. */
export async function examineRemoval(backend: Backend, signal: AbortSignal): Promise<boolean> {
  const trial = beginTrial(backend, signal);
  try {
    return await canRemove(trial);
  } finally {
    await trial.clear(lastCall(signal));
  }
}

async function canRemove(trial: Trial): Promise<boolean> {
  const { backend, signal } = trial;
  const { handle, data } = trial.sample(32);
  await backend.save(handle, data, signal);
  try {
    await backend.remove(handle, signal);
    return true;
  } catch (error) {
    if (isFailure(error, 'backend.denied') || isFailure(error, 'backend.read-only')) return false;
    throw error;
  }
}

async function tryPromises(
  trial: Trial,
  removable: boolean,
): Promise<{ kept: string[]; broken: { sentence: string; why: string }[] }> {
  const kept: string[] = [];
  const broken: { sentence: string; why: string }[] = [];
  for (const { sentence, removes, attempt } of PROMISES) {
    if (removes && !removable) continue;
    try {
      await attempt(trial);
      kept.push(sentence);
    } catch (error) {
      trial.signal?.throwIfAborted();
      if (!(error instanceof BrokenPromise) && !isFailure(error)) throw error;
      broken.push({ sentence, why: error.message });
    }
  }
  return { kept, broken };
}

async function latencyOf(backend: Backend, clock: Clock, signal: AbortSignal): Promise<number> {
  // The first makes the connection.
  await backend.stat(CONFIG, signal);
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    times.push(await timeOf(clock, () => backend.stat(CONFIG, signal)));
  }
  return times.sort((a, b) => a - b)[ROUNDS >> 1] ?? 0;
}

async function speedOf(trial: Trial, clock: Clock): Promise<Speed> {
  const { backend, signal } = trial;
  const { handle, data } = trial.sample(SPEED_BYTES);
  const up = await timeOf(clock, () => backend.save(handle, data, signal));
  const down = await timeOf(clock, () => backend.load(handle, undefined, signal));
  return { bytes: SPEED_BYTES, up, down };
}

async function timeOf(clock: Clock, call: () => Promise<unknown>): Promise<number> {
  const begun = clock.now();
  await call();
  return clock.now() - begun;
}

const ROUNDS = 5;
const SPEED_BYTES = 8_000_000;
