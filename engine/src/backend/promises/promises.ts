import { isFailure } from '../../kernel/failure.ts';
import { expectRefusal, expectThat, listed, type Sample, type Trial } from './trial.ts';

/** One promise of `Backend` that can be tried on any place, also beside a repository that is in use. */
export interface BackendPromise {
  /** What is promised, as a sentence. */
  readonly sentence: string;
  /** Whether files have to be removed to try it: a place that only takes additions cannot be asked. */
  readonly removes: boolean;
  /** Rejects with `BrokenPromise`, or with the failure that kept it from being tried. */
  attempt(trial: Trial): Promise<void>;
}

export const PROMISES: readonly BackendPromise[] = [
  {
    sentence: 'A saved file comes back byte for byte',
    removes: false,
    async attempt(trial) {
      const sample = await saved(trial, 1000);
      const { backend, signal } = trial;
      const loaded = await backend.load(sample.handle, undefined, signal);
      expectThat(Buffer.compare(loaded, sample.data) === 0, 'other bytes came back than were saved');
      const { size } = await backend.stat(sample.handle, signal);
      expectThat(size === sample.data.length, `it says that 1000 bytes are ${size}`);
    },
  },
  {
    sentence: 'A part of a file comes back exactly',
    removes: false,
    async attempt(trial) {
      const { handle, data } = await saved(trial, 5000);
      for (const [offset, length] of [
        [0, 1],
        [0, 5000],
        [1234, 2345],
        [4999, 1],
      ] as const) {
        const part = await trial.backend.load(handle, { offset, length }, trial.signal);
        const same = Buffer.compare(part, data.subarray(offset, offset + length)) === 0;
        expectThat(same, `${part.length} other bytes came back for ${length} from ${offset}`);
      }
    },
  },
  {
    sentence: 'A part that leaves the file is refused, never cut short',
    removes: false,
    async attempt(trial) {
      const { handle } = await saved(trial, 100);
      for (const [offset, length] of [
        [99, 2],
        [100, 1],
        [5000, 10],
      ] as const) {
        const call = trial.backend.load(handle, { offset, length }, trial.signal);
        await expectRefusal(call, 'backend.short-read', `to read ${length} bytes from ${offset} of 100`);
      }
    },
  },
  {
    sentence: 'A file that is not there is not found, whatever is asked of it',
    removes: true,
    async attempt(trial) {
      const { backend, signal } = trial;
      const { handle } = trial.sample(100);
      const missing = 'backend.not-found';
      await expectRefusal(backend.load(handle, undefined, signal), missing, 'to read what is not there');
      await expectRefusal(backend.stat(handle, signal), missing, 'to look at what is not there');
      await expectRefusal(backend.remove(handle, signal), missing, 'to remove what is not there');
    },
  },
  {
    sentence: 'A name that is taken is not overwritten',
    removes: false,
    async attempt(trial) {
      const { backend, signal } = trial;
      const { handle, data } = await saved(trial, 500);
      await expectRefusal(backend.save(handle, data, signal), 'backend.exists', 'to save the same once more');
      const other = trial.sample(700).data;
      await expectRefusal(backend.save(handle, other, signal), 'backend.exists', 'to save over it');
      const loaded = await backend.load(handle, undefined, signal);
      expectThat(Buffer.compare(loaded, data) === 0, 'the file is another one now');
    },
  },
  {
    sentence: 'Several can save the same file at once, and it is whole',
    removes: false,
    async attempt(trial) {
      const { backend, signal } = trial;
      const { handle, data } = trial.sample(50_000);
      const outcomes = await Promise.allSettled(
        Array.from({ length: 4 }, () => backend.save(handle, data, signal)),
      );
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected' && !isFailure(outcome.reason, 'backend.exists'))
          throw outcome.reason;
      }
      const winners = outcomes.filter(({ status }) => status === 'fulfilled').length;
      expectThat(winners > 0, 'none of 4 was told that the file is saved');
      const loaded = await backend.load(handle, undefined, signal);
      expectThat(Buffer.compare(loaded, data) === 0, 'the file is not what they all saved');
    },
  },
  {
    sentence: 'A list names what was saved before it, once and with its size',
    removes: false,
    async attempt(trial) {
      for (const sample of [await saved(trial, 10), await saved(trial, 20)]) {
        const found = await listed(trial, sample.handle);
        expectThat(found.length === 1, `a file that was just saved is listed ${found.length} times`);
        expectThat(found[0]?.size === sample.data.length, 'it is listed with another size');
      }
    },
  },
  {
    sentence: 'What was removed is gone, and its name is free again',
    removes: true,
    async attempt(trial) {
      const { backend, signal } = trial;
      const { handle, data } = await saved(trial, 300);
      await backend.remove(handle, signal);
      await expectRefusal(backend.load(handle, undefined, signal), 'backend.not-found', 'to read it');
      expectThat((await listed(trial, handle)).length === 0, 'it is still listed');
      await backend.save(handle, data, signal);
      const loaded = await backend.load(handle, undefined, signal);
      expectThat(Buffer.compare(loaded, data) === 0, 'saved again, it is another file');
    },
  },
];

async function saved(trial: Trial, bytes: number): Promise<Sample> {
  const sample = trial.sample(bytes);
  await trial.backend.save(sample.handle, sample.data, trial.signal);
  return sample;
}
