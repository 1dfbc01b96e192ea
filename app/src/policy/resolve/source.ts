import { DEFAULTS } from '../defaults.ts';
import { parseDuration } from '../duration.ts';
import type { Hook, JournalPolicy, LegalHold, Objective, SourcePolicy, SystemPolicy } from '../model.ts';
import type { PolicyInput } from '../schema/policy.ts';
import { parseSize } from '../size.ts';
import { absolutePath, type Surroundings } from './surroundings.ts';
import {
  defined,
  listOf,
  resolveKeep,
  resolveRates,
  resolveSchedule,
  resolveSecret,
  resolveText,
} from './values.ts';

type SourceInput = PolicyInput['sources'][string];

export function resolveSource(
  name: string,
  input: SourceInput,
  firstRepository: string,
  surroundings: Surroundings,
): SourcePolicy {
  const { journal, hold, retry = {} } = input;
  return {
    name,
    system: resolveSystem(input, surroundings),
    repository: input.to ?? firstRepository,
    snapshot: resolveSchedule(input.snapshot ?? DEFAULTS.snapshot, surroundings.timezone),
    ...(journal === undefined ? {} : { journal: resolveJournal(name, journal, surroundings) }),
    keep: resolveKeep(input.keep ?? DEFAULTS.keep),
    objective: resolveObjective(input.objective),
    hooks: (input.hooks ?? []).map(resolveHook),
    limits: resolveRates(input.limits),
    ...(hold === undefined ? {} : { hold: resolveHold(hold, surroundings.timezone) }),
    retry: {
      limit: retry.limit ?? DEFAULTS.retry.limit,
      delay: parseDuration(retry.delay ?? DEFAULTS.retry.delay),
    },
    priority: input.priority ?? DEFAULTS.priority,
  };
}

function resolveSystem({ files, postgres }: SourceInput, surroundings: Surroundings): SystemPolicy {
  if (postgres !== undefined) return resolvePostgres(postgres, surroundings);
  const given = typeof files === 'object' && !Array.isArray(files) ? files : { paths: files ?? [] };
  return {
    kind: 'files',
    paths: listOf(given.paths).map((path) => absolutePath(path, surroundings)),
    exclude: listOf(given.exclude),
    oneFileSystem: given.oneFileSystem ?? DEFAULTS.oneFileSystem,
  };
}

function resolvePostgres(
  input: Exclude<SourceInput['postgres'], undefined>,
  surroundings: Surroundings,
): SystemPolicy {
  const given = typeof input === 'string' ? { url: input } : input;
  const { password, maxRate } = given;
  return {
    kind: 'postgres',
    url: resolveText(given.url, surroundings),
    ...(password === undefined ? {} : { password: resolveSecret(password, surroundings) }),
    ...(maxRate === undefined ? {} : { maxRate: parseSize(maxRate) }),
    checkpoint: given.checkpoint ?? DEFAULTS.checkpoint,
    evidence: given.evidence ?? DEFAULTS.evidence,
  };
}

function resolveJournal(
  name: string,
  input: Exclude<SourceInput['journal'], undefined>,
  surroundings: Surroundings,
): JournalPolicy {
  const { slot, spool, spoolOnSourceHost } = input === 'continuous' ? {} : input;
  return {
    slot: slot ?? defaultSlot(name),
    ...(spool === undefined ? {} : { spool: absolutePath(spool, surroundings) }),
    ...(spoolOnSourceHost === undefined ? {} : { spoolOnSourceHost }),
  };
}

/** A name of PostgreSQL's: no hyphens, 63 bytes. */
export function defaultSlot(source: string): string {
  return `holdfast_${source.replaceAll('-', '_')}`.slice(0, 63);
}

function resolveObjective(input: SourceInput['objective'] = {}): Objective {
  const { rpo, rto, copies, places } = input;
  return {
    ...(rpo === undefined ? {} : { rpo: parseDuration(rpo) }),
    ...(rto === undefined ? {} : { rto: parseDuration(rto) }),
    ...defined({ copies, places }),
  };
}

function resolveHook(input: Exclude<SourceInput['hooks'], undefined>[number]): Hook {
  const { before, after, onFailure } = input;
  return {
    when: before !== undefined ? 'before' : after !== undefined ? 'after' : 'on failure',
    command: before ?? after ?? onFailure ?? '',
    timeout: parseDuration(input.timeout ?? DEFAULTS.hookTimeout),
    onError: input.onError ?? DEFAULTS.hookOnError,
  };
}

function resolveHold(input: Exclude<SourceInput['hold'], undefined>, timezone: string): LegalHold {
  if (typeof input === 'string') return { reason: input };
  const { reason, until } = input;
  return { reason, ...(until === undefined ? {} : { until: momentOf(until, timezone) }) };
}

/** A hold until a day holds to its end. */
function momentOf(text: string, timezone: string): number {
  if (text.includes('T')) return Temporal.Instant.from(text).epochMilliseconds;
  return Temporal.PlainDate.from(text).add({ days: 1 }).toZonedDateTime(timezone).epochMilliseconds;
}
