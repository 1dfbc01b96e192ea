import { expect, test } from 'vitest';
import { parsePolicy } from '../policy/parse.ts';
import type { RatesAt } from '../protect/task.ts';
import { checkCron } from '../schedule/cron.ts';
import { RateDesk } from './rate-desk.ts';

const PARSED = parsePolicy(
  `
stack: shop
limits: { upload: 100kB/s }
repositories: { main: { url: /a, password: { env: P } } }
sources:
  media: { files: /srv/media, snapshot: { every: 1h }, keep: { last: 1 } }
  web: { files: /srv/web, snapshot: { every: 1h }, keep: { last: 1 } }
`,
  { timezone: 'UTC', homeDirectory: '/root', checkCron },
);

test('a worker is told that it has company, and that it is alone again', async () => {
  if (!('policy' in PARSED)) throw new Error('no policy');
  const { policy } = PARSED;
  const running: { id: string; kind: 'snapshot'; about: string }[] = [];
  const desk = new RateDesk({
    policy: () => policy,
    running: async () => [...running],
    clock: { now: () => 0, sleep: () => new Promise(() => undefined) },
  });
  const [first, second] = [new Ear(), new Ear()];

  running.push({ id: '1', kind: 'snapshot', about: 'media' });
  expect(await desk.shareOf('1')).toEqual({ main: { upload: 100_000 } });
  using _first = desk.seat('1', first);
  await first.heard({ main: { upload: 100_000 } });

  running.push({ id: '2', kind: 'snapshot', about: 'web' });
  const seat = desk.seat('2', second);
  await Promise.all([first.heard({ main: { upload: 50_000 } }), second.heard({ main: { upload: 50_000 } })]);

  running.pop();
  seat[Symbol.dispose]();
  await first.heard({ main: { upload: 100_000 } });
});

/** Resolves when it hears what is waited for; anything else first is a mistake. */
class Ear {
  readonly #said: RatesAt[] = [];
  #wake = () => {};

  hold(rates: RatesAt): void {
    this.#said.push(rates);
    this.#wake();
  }

  async heard(rates: RatesAt): Promise<void> {
    while (this.#said.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    expect(this.#said.shift()).toEqual(rates);
  }
}
