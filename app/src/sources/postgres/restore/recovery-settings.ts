import { Failure } from '@holdfast/engine';
import { formatLsn, type Lsn } from '../wal/lsn.ts';

/** The moment to which WAL is replayed. */
export type RecoveryTarget =
  | { readonly kind: 'latest' }
  /** As soon as the data is consistent. */
  | { readonly kind: 'immediate' }
  | { readonly kind: 'time'; readonly instant: Temporal.Instant }
  | { readonly kind: 'lsn'; readonly lsn: Lsn }
  | { readonly kind: 'xid'; readonly xid: bigint }
  /** As pg_create_restore_point named it. */
  | { readonly kind: 'name'; readonly name: string };

export interface Recovery {
  /** A directory with WAL files under their own names; the server's user must be able to read it. */
  readonly walDirectory: string;
  readonly target: RecoveryTarget;
  /** Along which history; the latest that leads on from the base unless said otherwise. */
  readonly timeline?: number;
  /** Whether what happens exactly at the target is still wanted; the server's own default is yes. */
  readonly inclusive?: boolean;
  /** What the server does when it is there: take writes, or wait and let itself be read. */
  readonly action: 'promote' | 'pause' | 'shutdown';
}

/** Settings that make a server replay WAL from a directory to the target, in the order of PostgreSQL's manual. */
export function recoverySettings({
  walDirectory,
  target,
  timeline,
  inclusive = true,
  action,
}: Recovery): [string, string][] {
  return [
    ['restore_command', `cp ${shellWord(`${walDirectory}/`)}%f "%p"`],
    ['recovery_target_timeline', timeline === undefined ? 'latest' : String(timeline)],
    ...noOtherTarget(target),
    ...targetSettings(target),
    ...(target.kind === 'latest' || target.kind === 'immediate'
      ? []
      : [['recovery_target_inclusive', inclusive ? 'on' : 'off'] satisfies [string, string]]),
    // Without a target the server refuses to pause: it simply reaches the end and takes writes.
    ...(target.kind === 'latest' ? [] : [['recovery_target_action', action] satisfies [string, string]]),
  ];
}

/** As lines of a configuration file. */
export function configurationLines(settings: readonly (readonly [string, string])[]): string {
  return settings.map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`).join('');
}

const TARGETS = [
  'recovery_target',
  'recovery_target_name',
  'recovery_target_time',
  'recovery_target_xid',
  'recovery_target_lsn',
];

/**
 * Takes back what the server's own configuration may still say from an earlier recovery: two targets are refused, and an old
 * one would be heeded. Before the target itself, since setting any of them to nothing forgets the one that counts.
 */
function noOtherTarget(target: RecoveryTarget): [string, string][] {
  const [[ours] = []] = targetSettings(target);
  return TARGETS.filter((name) => name !== ours).map((name) => [name, '']);
}

function targetSettings(target: RecoveryTarget): [string, string][] {
  switch (target.kind) {
    case 'latest':
      return [];
    case 'immediate':
      return [['recovery_target', 'immediate']];
    case 'time':
      return [['recovery_target_time', timeText(target.instant)]];
    case 'lsn':
      return [['recovery_target_lsn', formatLsn(target.lsn)]];
    case 'xid':
      return [['recovery_target_xid', String(target.xid)]];
    case 'name':
      return [['recovery_target_name', target.name]];
  }
}

/**
 * PostgreSQL reads microseconds; what is finer would be rounded up, past the moment that was asked for. It knows no
 * names of zones while it reads its configuration, not even `Z`.
 */
function timeText(instant: Temporal.Instant): string {
  const rounded = instant.round({ smallestUnit: 'microsecond', roundingMode: 'floor' });
  return rounded.toString().replace('T', ' ').replace('Z', '+00');
}

/** The server hands the command to a shell, and replaces % signs before. */
function shellWord(path: string): string {
  if (path.includes('\n'))
    throw new Failure('usage', 'the directory of the WAL has a line break in its name');
  return `'${path.replaceAll('%', '%%').replaceAll("'", `'\\''`)}'`;
}
