import { createHash } from 'node:crypto';
import type { AlertChannel, AlertPolicy } from '../policy/model.ts';
import type { Incident, Problem } from './incident.ts';
import type { Message, News } from './message.ts';
import { compareSeverity, isRouted } from './routing.ts';

export interface AlertSituation {
  /** All that is wrong now. */
  readonly problems: readonly Problem[];
  /** As the last decision left them. */
  readonly incidents: readonly Incident[];
  readonly policy: AlertPolicy;
  readonly now: number;
}

export interface AlertDecision {
  /** Seen for the first time, or again after its end was told. */
  readonly opened: readonly Incident[];
  /** Told again, because it is still there. */
  readonly repeated: readonly Incident[];
  /** Whose end is told now. */
  readonly resolved: readonly Incident[];
  /** One a channel at most. */
  readonly messages: readonly Message[];
  /** What to remember. It is to be stored in one go with the messages, or somebody is told twice or never. */
  readonly incidents: readonly Incident[];
}

/** What comes back within so long after its end was told is the same trouble: it flaps. */
const SETTLE = 5 * 60_000;

/**
 * Who is told what at this tick. Critical news and whatever got worse go out at once and take along what else waits for
 * that channel; the rest waits for company up to the policy's `group`. What is still there is told again after `repeat`,
 * info never. An end is told to whoever knew of the beginning, at once the first time; of what flaps only after it has
 * been quiet for 5 minutes, then 10, then 20 …, `repeat` at most, so that messages get rarer however long it goes on.
 */
export function decideAlerts(situation: AlertSituation): AlertDecision {
  const { policy, now } = situation;
  const incidents = remember(situation);
  const due = policy.channels.map((channel) => ({
    channel,
    items: incidents
      .map((incident) => dueFor(incident, channel, policy, now))
      .filter((item) => item !== undefined),
  }));
  const sent = due.filter(({ items }) => items.some((item) => mustGo(item, policy, now)));
  const messages = sent.map(({ channel, items }) => ({
    channel: channel.name,
    at: now,
    news: items.map(newsOf).toSorted(worstFirst),
  }));
  const after = incidents.map((incident) => noteTold(incident, messages, now));
  const told = (kind: News['kind']) =>
    new Set(
      messages.flatMap(({ news }) => news.filter((one) => one.kind === kind).map((one) => one.incident)),
    );
  const repeated = told('repeated');
  const resolved = told('resolved');
  return {
    opened: after.filter(({ goneAt, appearedAt }) => goneAt === undefined && appearedAt === now),
    repeated: after.filter(({ id }) => repeated.has(id)),
    resolved: after.filter(({ id }) => resolved.has(id)),
    messages,
    incidents: after.filter((incident) => !isForgotten(incident, policy, now)),
  };
}

interface Item {
  readonly incident: Incident;
  readonly kind: News['kind'];
  /** Since when it waits to be told. */
  readonly since: number;
  readonly urgent: boolean;
}

/** The incidents as this tick sees them, before anybody is told. */
function remember({ problems, incidents, policy, now }: AlertSituation): Incident[] {
  const channels = new Set(policy.channels.map(({ name }) => name));
  const known = new Map(incidents.map((incident) => [incident.key, incident]));
  const present = new Map<string, Problem>();
  for (const problem of problems) {
    const other = present.get(problem.key);
    if (other === undefined || compareSeverity(problem, other) > 0) present.set(problem.key, problem);
  }
  const gone = incidents
    .filter(({ key }) => !present.has(key))
    .map((incident) => ({ ...incident, goneAt: incident.goneAt ?? now }));
  return [
    ...[...present.values()].map((problem) => continued(problem, known.get(problem.key), now)),
    ...gone,
  ].map(
    // A channel that the policy no longer has can neither be told the end nor hold it up.
    (incident) => ({ ...incident, told: incident.told.filter(({ channel }) => channels.has(channel)) }),
  );
}

function continued(problem: Problem, before: Incident | undefined, now: number): Incident {
  if (before === undefined) {
    return { ...problem, id: incidentId(problem.key, now), appearedAt: now, told: [], returns: 0 };
  }
  const { id, told, returns, appearedAt } = before;
  const since = Math.min(before.since, problem.since);
  if (before.resolvedAt === undefined) return { ...problem, since, id, told, returns, appearedAt };
  return { ...problem, since, id, told, returns: returns + 1, appearedAt: now };
}

function dueFor(
  incident: Incident,
  channel: AlertChannel,
  policy: AlertPolicy,
  now: number,
): Item | undefined {
  const telling = incident.told.find((one) => one.channel === channel.name);
  if (incident.goneAt !== undefined) {
    const since = incident.goneAt + calm(incident, policy);
    if (telling === undefined || now < since) return undefined;
    return { incident, kind: 'resolved', since, urgent: false };
  }
  if (!isRouted(incident, channel)) return undefined;
  if (telling === undefined) {
    const kind = incident.returns > 0 ? 'back' : 'opened';
    return { incident, kind, since: incident.appearedAt, urgent: incident.severity === 'critical' };
  }
  if (compareSeverity(incident, telling) > 0) return { incident, kind: 'worse', since: now, urgent: true };
  const since = telling.at + policy.repeat;
  if (incident.severity === 'info' || now < since) return undefined;
  return { incident, kind: 'repeated', since, urgent: false };
}

function mustGo({ urgent, since }: Item, { group }: AlertPolicy, now: number): boolean {
  return urgent || now - since >= group;
}

function newsOf({ incident, kind }: Item): News {
  const { key, severity, about, code, message, hint, since, id, goneAt } = incident;
  return {
    key,
    severity,
    about,
    code,
    message,
    since,
    kind,
    incident: id,
    ...(hint === undefined ? {} : { hint }),
    ...(goneAt === undefined ? {} : { until: goneAt }),
  };
}

function noteTold(incident: Incident, messages: readonly Message[], now: number): Incident {
  const news = messages.flatMap((message) =>
    message.news
      .filter((one) => one.incident === incident.id)
      .map(({ kind }) => ({ channel: message.channel, kind })),
  );
  if (news.length === 0) return incident;
  const untouched = incident.told.filter((telling) =>
    news.every(({ channel }) => channel !== telling.channel),
  );
  const told = news
    .filter(({ kind }) => kind !== 'resolved')
    .map(({ channel }) => ({ channel, at: now, severity: incident.severity }));
  const ended = news.some(({ kind }) => kind === 'resolved');
  return { ...incident, told: [...untouched, ...told], ...(ended ? { resolvedAt: now } : {}) };
}

/** How long it must have been gone before its end is told. */
function calm({ returns }: Incident, { repeat }: AlertPolicy): number {
  return returns === 0 ? 0 : Math.min(SETTLE * 2 ** (returns - 1), repeat);
}

/** Whoever was told knows the end, and it would no longer count as the same trouble. What nobody heard of goes at once. */
function isForgotten(incident: Incident, policy: AlertPolicy, now: number): boolean {
  const { goneAt, resolvedAt, told } = incident;
  if (goneAt === undefined || told.length > 0) return false;
  return resolvedAt === undefined || now - resolvedAt > Math.max(SETTLE, 2 * calm(incident, policy));
}

function worstFirst(a: News, b: News): number {
  const over = Number(a.kind === 'resolved') - Number(b.kind === 'resolved');
  return over || compareSeverity(b, a) || a.since - b.since || (a.key < b.key ? -1 : 1);
}

function incidentId(key: string, now: number): string {
  return createHash('sha256').update(`${now} ${key}`).digest('hex').slice(0, 16);
}
