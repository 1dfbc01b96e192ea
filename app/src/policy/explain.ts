import { Document, isCollection, isMap, isNode, type Node } from 'yaml';
import { DEFAULTS } from './defaults.ts';
import { FOREVER, formatDuration } from './duration.ts';
import type {
  AlertChannel,
  AlertPolicy,
  CopyPolicy,
  Hook,
  KeepRules,
  PlainOrSecret,
  Policy,
  Rates,
  RepositoryPolicy,
  Schedule,
  SourcePolicy,
  SystemPolicy,
} from './model.ts';
import { defaultPlace } from './place.ts';
import { defaultSlot } from './resolve/source.ts';
import { resolveCheck, resolveKeep, resolveSchedule } from './resolve/values.ts';
import { formatRate, formatSize } from './size.ts';

/**
 * The policy as YAML with everything written out, and a word behind what would hold without being written. Reading it
 * gives the same policy anywhere: it depends on no home directory and no machine's zone any more.
 */
export function explainPolicy(policy: Policy): string {
  const document = new Document(explained(policy));
  compact(document.contents as Node);
  // Its defaults are told one by one.
  const limits = document.get('limits', true);
  if (isCollection(limits)) limits.flow = false;
  document.commentBefore = ' Everything that holds, written out.';
  markDefaults(document, policy);
  return document.toString({ lineWidth: 0, flowCollectionPadding: true });
}

type Written = Readonly<Record<string, unknown>>;

function explained(policy: Policy): Written {
  const { stack, timezone, repositories, sources, copies, alerts, limits } = policy;
  return {
    stack,
    timezone,
    repositories: Object.fromEntries(repositories.map((each) => [each.name, explainedRepository(each)])),
    sources: Object.fromEntries(sources.map((each) => [each.name, explainedSource(each)])),
    copies: copies.map(explainedCopy),
    alerts: explainedAlerts(alerts),
    limits: {
      runs: limits.runs,
      perSource: limits.perSource,
      perRepository: limits.perRepository,
      ...explainedRates(limits),
    },
  };
}

function explainedRepository(repository: RepositoryPolicy): Written {
  const { options, capacity, check } = repository;
  return {
    url: explainedText(repository.url),
    password: explainedText(repository.password),
    options: Object.fromEntries(options.map(({ name, value }) => [name, explainedText(value)])),
    place: repository.place,
    sameHost: repository.sameHost,
    ...(capacity === undefined ? {} : { capacity: formatSize(capacity) }),
    limits: explainedRates(repository.limits),
    retention: explainedSchedule(repository.retention),
    check: explainedCheck(check),
  };
}

function explainedSource(source: SourcePolicy): Written {
  const { journal, hold, objective, retry } = source;
  const { rpo, rto, ...counts } = objective;
  return {
    ...explainedSystem(source.system),
    to: source.repository,
    snapshot: explainedSchedule(source.snapshot),
    ...(journal === undefined ? {} : { journal }),
    keep: explainedKeep(source.keep),
    objective: {
      ...(rpo === undefined ? {} : { rpo: formatDuration(rpo) }),
      ...(rto === undefined ? {} : { rto: formatDuration(rto) }),
      ...counts,
    },
    hooks: source.hooks.map(explainedHook),
    limits: explainedRates(source.limits),
    ...(hold === undefined
      ? {}
      : {
          hold: {
            reason: hold.reason,
            ...(hold.until === undefined ? {} : { until: new Date(hold.until).toISOString() }),
          },
        }),
    retry: { limit: retry.limit, delay: formatDuration(retry.delay) },
    priority: source.priority,
  };
}

function explainedSystem(system: SystemPolicy): Written {
  if (system.kind === 'files') {
    const { paths, exclude, oneFileSystem } = system;
    return { files: { paths, ...(exclude.length === 0 ? {} : { exclude }), oneFileSystem } };
  }
  const { url, password, maxRate, checkpoint, evidence } = system;
  return {
    postgres: {
      url: explainedText(url),
      ...(password === undefined ? {} : { password: explainedText(password) }),
      ...(maxRate === undefined ? {} : { maxRate: formatRate(maxRate) }),
      checkpoint,
      evidence,
    },
  };
}

function explainedCopy({ name, from, to, sources, after, keep, verify }: CopyPolicy): Written {
  return {
    from,
    to,
    name,
    // A repository that holds nothing has no list to write.
    ...(sources.length === 0 ? {} : { sources }),
    after: after === 'each snapshot' ? after : explainedSchedule(after),
    ...(keep === undefined ? {} : { keep: explainedKeep(keep) }),
    verify: { sample: verify.sample, everything: formatDuration(verify.everything) },
  };
}

function explainedAlerts({ channels, ping, group, repeat }: AlertPolicy): Written {
  return {
    to: [
      ...channels.map(explainedChannel),
      ...(ping === undefined
        ? []
        : [{ ping: explainedText(ping.url), every: formatDuration(ping.interval) }]),
    ],
    group: formatDuration(group),
    repeat: formatDuration(repeat),
  };
}

function explainedChannel(channel: AlertChannel): Written {
  const { name, severity, about } = channel;
  const common = { name, severity, ...(about.length === 0 ? {} : { about }) };
  if (channel.kind === 'slack') return { slack: explainedText(channel.url), ...common };
  if (channel.kind === 'email') {
    return { email: channel.to, server: explainedText(channel.server), from: channel.from, ...common };
  }
  const { url, secret } = channel;
  return {
    webhook: explainedText(url),
    ...(secret === undefined ? {} : { secret: explainedText(secret) }),
    ...common,
  };
}

function explainedHook({ when, command, timeout, onError }: Hook): Written {
  return {
    [when === 'on failure' ? 'onFailure' : when]: command,
    timeout: formatDuration(timeout),
    onError,
  };
}

function explainedText(value: PlainOrSecret): string | Written {
  switch (value.kind) {
    case 'plain':
      return value.text;
    case 'env':
      return { env: value.name };
    case 'file':
      return { file: value.path };
    case 'command':
      return { command: value.command };
  }
}

function explainedSchedule({ when, jitter, missed }: Schedule): string | Written {
  if (when.kind === 'never') return 'never';
  const often =
    when.kind === 'cron'
      ? { cron: when.expression, timezone: when.timezone }
      : { every: formatDuration(when.interval) };
  return { ...often, jitter: formatDuration(jitter), missed };
}

function explainedCheck(check: RepositoryPolicy['check']): string | Written {
  const schedule = explainedSchedule(check);
  return typeof schedule === 'string'
    ? schedule
    : { ...schedule, everything: formatDuration(check.everything) };
}

function explainedKeep({ for: span, ...counts }: KeepRules): Written {
  if (span === undefined) return counts;
  return { for: span === FOREVER ? 'forever' : formatDuration(span), ...counts };
}

function explainedRates({ upload, download, requests }: Rates): Written {
  return {
    ...(upload === undefined ? {} : { upload: formatRate(upload) }),
    ...(download === undefined ? {} : { download: formatRate(download) }),
    ...(requests === undefined ? {} : { requests }),
  };
}

/** What holds only words and numbers goes on one line. */
function compact(node: unknown): void {
  if (!isCollection(node)) return;
  const inner = isMap(node) ? node.items.map(({ value }) => value) : node.items;
  if (inner.some(isCollection)) {
    node.flow =
      inner.every((each) => !isCollection(each) || (isMap(each) && each.items.length === 1)) && isSmall(node);
    for (const each of inner) compact(each);
  } else node.flow = true;
}

/** A reference in a mapping of two does not need lines of its own. */
function isSmall(node: unknown): boolean {
  return isMap(node) && node.items.length <= 2;
}

/** Says so behind each value that is what it would be anyway. */
function markDefaults(document: Document, policy: Policy): void {
  for (const [path, usual] of usualValues(policy)) {
    const node = document.getIn(path, true);
    if (!isNode(node)) continue;
    const written = JSON.stringify(isCollection(node) ? node.toJSON() : (node as { value?: unknown }).value);
    if (written === JSON.stringify(usual)) node.comment = ' default';
  }
}

type Usual = readonly [path: readonly (string | number)[], value: unknown];

function usualValues(policy: Policy): Usual[] {
  const { timezone } = policy;
  return [
    [['stack'], DEFAULTS.stack],
    ...policy.repositories.flatMap(({ name, url }): Usual[] => {
      const path = ['repositories', name];
      return [
        [[...path, 'options'], {}],
        [[...path, 'place'], defaultPlace(url)],
        [[...path, 'sameHost'], DEFAULTS.sameHost],
        [[...path, 'limits'], {}],
        [[...path, 'retention'], explainedSchedule(resolveSchedule(DEFAULTS.retention, timezone))],
        [[...path, 'check'], explainedCheck(resolveCheck(DEFAULTS.check, timezone))],
      ];
    }),
    ...policy.sources.flatMap(({ name }): Usual[] => {
      const path = ['sources', name];
      return [
        [[...path, 'files', 'oneFileSystem'], DEFAULTS.oneFileSystem],
        [[...path, 'postgres', 'checkpoint'], DEFAULTS.checkpoint],
        [[...path, 'postgres', 'evidence'], DEFAULTS.evidence],
        [[...path, 'to'], policy.repositories[0]?.name],
        [[...path, 'snapshot'], explainedSchedule(resolveSchedule(DEFAULTS.snapshot, timezone))],
        [[...path, 'journal'], { slot: defaultSlot(name) }],
        [[...path, 'keep'], explainedKeep(resolveKeep(DEFAULTS.keep))],
        [[...path, 'objective'], {}],
        [[...path, 'hooks'], []],
        [[...path, 'limits'], {}],
        [[...path, 'retry'], DEFAULTS.retry],
        [[...path, 'priority'], DEFAULTS.priority],
      ];
    }),
    ...policy.copies.flatMap(({ from, to }, at): Usual[] => [
      [['copies', at, 'name'], `${from} → ${to}`],
      [['copies', at, 'after'], DEFAULTS.copyAfter],
      [['copies', at, 'verify'], { sample: 0.01, everything: DEFAULTS.verify.everything }],
    ]),
    [['alerts', 'group'], DEFAULTS.group],
    [['alerts', 'repeat'], DEFAULTS.repeat],
    [['limits', 'runs'], DEFAULTS.runs],
    [['limits', 'perSource'], DEFAULTS.perSource],
    [['limits', 'perRepository'], DEFAULTS.perRepository],
  ];
}
