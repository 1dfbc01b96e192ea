import type { Clock, Failure, Random } from '@holdfast/engine';
import type { Ping } from '../alert/channel/ping.ts';
import type { Send } from '../alert/channel/sending.ts';
import { decideAlerts } from '../alert/decision.ts';
import { deliverDue } from '../alert/delivery.ts';
import type { Incident, Problem } from '../alert/incident.ts';
import { SignOfLife } from '../alert/sign-of-life.ts';
import { readBeat, saveBeat } from '../catalog/beat.ts';
import { readIncidents, replaceIncidents } from '../catalog/incidents.ts';
import type { AlertChannel } from '../policy/model.ts';
import type { Database } from '../state/session.ts';
import { judge } from '../status/judge.ts';
import type { Status } from '../status/status.ts';
import type { CurrentPolicy, LoadedPolicy } from './current-policy.ts';
import { gatherFacts } from './gather-facts.ts';
import { addMessages, pruneDeliveries, sqlOutbox } from './sql-outbox.ts';
import { troubleOf } from './trouble.ts';

export interface WatchParts {
  readonly database: Database;
  readonly current: CurrentPolicy;
  readonly clock: Clock;
  readonly random: Random;
  readonly who: string;
  readonly senderOf: (channel: AlertChannel) => Send;
  readonly ping: Ping;
  /** Which journals' spools share their source's host, as far as it is known. */
  readonly spools: () => readonly { readonly source: string; readonly onSourceHost: boolean }[];
  /** Hears of each judgement. */
  readonly onStatus: (status: Status) => Promise<void>;
  readonly onTrouble: (failure: Failure) => void;
  readonly signal: AbortSignal;
}

/**
 * Looks whether reality and policy part, remembers it, and tells who must know. Called at each tick; looks only every few
 * seconds. What was decided to be told and the messages that tell it are stored in one transaction, and sent after it.
 */
export class Watch {
  readonly #parts: WatchParts;
  readonly #signOfLife: SignOfLife;
  #lookedAt = 0;
  /** Since when we look again and again. */
  #begunAt = 0;
  /** Nothing was wrong since then, or it has been wrong for too long. */
  #settled = false;
  #prunedAt = 0;
  #hurried = false;
  #delivering: Promise<void> | undefined;

  constructor(parts: WatchParts) {
    this.#parts = parts;
    this.#signOfLife = new SignOfLife(parts.ping);
  }

  /** Something has just gone wrong: whoever must know need not wait for the next look. */
  hurry(): void {
    this.#hurried = true;
  }

  /** Resolves with whether the next look should come sooner than usual. */
  async look(): Promise<boolean> {
    await this.#look();
    return this.#hurried;
  }

  async #look(): Promise<void> {
    const { database, current, clock, who, onStatus } = this.#parts;
    const now = clock.now();
    if (now - this.#lookedAt < LOOK_EVERY_MS && !this.#hurried) return;
    this.#hurried = false;
    if (now - this.#lookedAt > SETTLING_MS) {
      this.#begunAt = now;
      this.#settled = false;
    }
    this.#lookedAt = now;
    await saveBeat(database, now, who);
    const status = await judgeNow(database, current.loaded, now, this.#parts.spools());
    const { stack, alerts } = current.loaded.policy;
    const unheard = alerts.ping === undefined ? [] : this.#signOfLife.problems();
    const problems = [...status.problems, ...refusedPolicy(current, now), ...unheard];
    // What stood still with us goes on within seconds: after a restart nobody has to get up for that.
    if (problems.length === 0 || now - this.#begunAt >= SETTLING_MS) this.#settled = true;
    if (this.#settled) await this.#tell(problems, now);
    await onStatus(status);
    this.#deliver();
    if (alerts.ping !== undefined)
      this.#signOfLife.look(problems, { to: alerts.ping, stack, now }, this.#parts.signal);
    if (now - this.#prunedAt < DAY_MS) return;
    this.#prunedAt = now;
    await pruneDeliveries(database, now - DELIVERIES_MS);
  }

  async #tell(problems: readonly Problem[], now: number): Promise<void> {
    const { database, current } = this.#parts;
    const { alerts } = current.loaded.policy;
    await database.transaction(async (session) => {
      const incidents = await readIncidents<Incident>(session);
      const decision = decideAlerts({ problems, incidents, policy: alerts, now });
      if (decision.messages.length > 0) await addMessages(session, decision.messages, now);
      await replaceIncidents(session, decision.incidents);
      // News that waits for company goes out as soon as it has waited.
      if (decision.incidents.some((one) => isFresh(one, alerts.group, now))) this.#hurried = true;
    });
  }

  /** One at a time, and nobody waits for it: a channel may take its ten seconds. */
  #deliver(): void {
    const { database, current, clock, random, senderOf, onTrouble, signal } = this.#parts;
    const { stack, timezone, alerts } = current.loaded.policy;
    this.#delivering ??= deliverDue(
      {
        outbox: sqlOutbox(database),
        senders: new Map(alerts.channels.map((channel) => [channel.name, senderOf(channel)])),
        letterhead: { stack, timezone },
        now: () => clock.now(),
        random,
      },
      signal,
    )
      // What did not get through is in the outbox, and known. This is something else.
      .catch((error: unknown) => {
        if (!signal.aborted) onTrouble(troubleOf(error));
      })
      .finally(() => {
        this.#delivering = undefined;
      });
  }
}

/** Not told yet, and seen so recently that it may only be waiting for company. */
function isFresh({ told, goneAt, appearedAt }: Incident, group: number, now: number): boolean {
  return told.length === 0 && goneAt === undefined && now - appearedAt <= group + LOOK_EVERY_MS;
}

/** The judgement of a moment, from what the memory has of it. */
export async function judgeNow(
  database: Database,
  { policy, since }: Pick<LoadedPolicy, 'policy' | 'since'>,
  now: number,
  spools: WatchParts['spools'] extends () => infer Spools ? Spools : never,
): Promise<Status> {
  const beat = await readBeat(database);
  const channels = await sqlOutbox(database).health();
  const besides = { channels, spools, ...(beat === undefined ? {} : { beat }) };
  return judge({ policy, facts: await gatherFacts(database, { policy, since, now, besides }), now });
}

/** What is in the policy's file now is not gone by: somebody believes that it is. */
function refusedPolicy({ refused, loaded }: CurrentPolicy, now: number): Problem[] {
  if (refused === undefined) return [];
  return [
    {
      key: 'policy: refused',
      severity: 'warning',
      about: 'holdfast',
      code: 'policy.refused',
      message: `${loaded.text.file} has changed and is no good policy: ${refused.message}. The one before it is still gone by.`,
      ...(refused.hint === undefined ? {} : { hint: refused.hint }),
      since: now,
    },
  ];
}

const LOOK_EVERY_MS = 2000;
const SETTLING_MS = 10_000;
const DAY_MS = 86_400_000;
const DELIVERIES_MS = 30 * DAY_MS;
