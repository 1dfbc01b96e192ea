import type { Ping, Sign } from './channel/ping.ts';
import type { Sent } from './channel/sending.ts';
import type { Problem } from './incident.ts';

/** What was said last, and how it went. */
export interface LastSign {
  readonly sign: Sign;
  readonly at: number;
  readonly heard: boolean;
}

/**
 * Pure: what is to be said now to the service that misses us when nothing comes. `start` first; then by the interval, and
 * at once when it is something else than the last time. What was not heard is said again within the minute.
 */
export function nextSign(
  last: LastSign | undefined,
  { critical, interval, now }: { critical: boolean; interval: number; now: number },
): Sign | undefined {
  if (last === undefined) return 'start';
  const sign = critical ? 'fail' : 'success';
  const pause = last.heard ? interval : Math.min(interval, AGAIN_MS);
  return now - last.at >= pause || (last.heard && sign !== last.sign) ? sign : undefined;
}

/** Says that we live, while we do. Nobody waits for it, and one is under way at a time. */
export class SignOfLife {
  readonly #ping: Ping;
  #last: LastSign | undefined;
  #saying: Promise<void> | undefined;
  #unheard: { readonly since: number; readonly why: Extract<Sent, { ok: false }> } | undefined;

  constructor(ping: Ping) {
    this.#ping = ping;
  }

  look(
    problems: readonly Problem[],
    { to, stack, now }: { to: Parameters<Ping>[2] & { interval: number }; stack: string; now: number },
    signal: AbortSignal,
  ): void {
    const critical = problems.filter(({ severity }) => severity === 'critical');
    const sign = nextSign(this.#last, { critical: critical.length > 0, interval: to.interval, now });
    if (sign === undefined || this.#saying !== undefined) return;
    this.#saying = this.#ping(sign, reportOf(stack, critical), to, signal)
      .then((sent) => {
        this.#last = { sign, at: now, heard: sent.ok };
        this.#unheard = sent.ok ? undefined : { since: this.#unheard?.since ?? now, why: sent };
      })
      // Only when we are told to stop: nothing is said then, and silence is what is to be noticed.
      .catch(() => undefined)
      .finally(() => {
        this.#saying = undefined;
      });
  }

  /** A service that does not hear us raises an alarm about nothing, or is not there when we are not. */
  problems(): Problem[] {
    if (this.#unheard === undefined) return [];
    const { since, why } = this.#unheard;
    return [
      {
        key: 'ping: unheard',
        severity: 'warning',
        about: 'holdfast',
        code: 'delivery.failing',
        message: `Our sign of life does not get through to the service that would miss it: ${why.message}.`,
        ...(why.hint === undefined ? {} : { hint: why.hint }),
        since,
      },
    ];
  }
}

function reportOf(stack: string, critical: readonly Problem[]): string {
  if (critical.length === 0) return `${stack}: nothing critical\n`;
  return critical.map(({ about, message }) => `${stack}: ${about}: ${message}\n`).join('');
}

const AGAIN_MS = 60_000;
