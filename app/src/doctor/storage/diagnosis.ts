import { formatBytes, formatCounted, formatDuration, formatRate } from '../../cli/format.ts';
import type { Advice, Diagnosis } from '../check.ts';
import type { StorageFacts } from './examination.ts';

/** What the facts mean for whoever wants to keep backups there. */
export function storageDiagnosis(facts: StorageFacts): Diagnosis {
  const { location, kept, broken, latency, speed } = facts;
  return {
    subject: location,
    healthy: [
      ...kept,
      `It answers in ${formatDuration(latency)}`,
      ...(speed === undefined
        ? []
        : [
            `One file of ${formatBytes(speed.bytes)} goes there at ${formatRate(speed.bytes, speed.up)} ` +
              `and comes back at ${formatRate(speed.bytes, speed.down)}`,
          ]),
    ],
    advice: [
      ...broken.map(
        ({ sentence, why }): Advice => ({
          severity: 'error',
          code: 'storage.promise-broken',
          subject: location,
          message: `${sentence}: no. ${why}`,
          hint: 'Backups rely on it. Is there a proxy, a cache or an old version of the server on the way?',
        }),
      ),
      removalAdvice(facts),
      {
        severity: 'note',
        code: 'storage.durability-unknown',
        subject: location,
        message: 'Whether what it has taken survives a power cut there cannot be seen from here.',
      },
    ],
  };
}

function removalAdvice({ location, removable, left }: StorageFacts): Advice {
  if (removable && left.length === 0) {
    return {
      severity: 'note',
      code: 'storage.removable',
      subject: location,
      message: 'Files can be removed with these credentials, so whoever steals them can destroy the backups.',
      hint: 'For a copy away from here better use a place that only takes additions: holdfast serve --append-only.',
    };
  }
  const names = left.map((name) => name.slice(0, 8)).join(', ');
  const message = `${formatCounted(left.length, 'small file')} of this trial stayed: ${names}.`;
  if (removable) {
    return { severity: 'warning', code: 'storage.leftovers', subject: location, message, hint: PRUNE };
  }
  return {
    severity: 'note',
    code: 'storage.append-only',
    subject: location,
    message: `Nothing can be removed with these credentials: a thief cannot destroy the backups. ${message}`,
    hint: `${PRUNE} What needs removal, and the speed, was not tried.`,
  };
}

const PRUNE =
  'No index names them: a prune by somebody who may marks them, and one a day later takes them away.';
