import type { Failure } from '@holdfast/engine';
import { formatBytes, formatCounted, formatTime } from '../format.ts';
import { type Style, signs } from '../style.ts';
import { printable } from '../width.ts';

/** What a rebuild has found in one repository. */
export type RebuiltRepository =
  | {
      readonly name: string;
      readonly points: number;
      readonly windows: number;
      readonly bytes: number;
      /** Sources that the policy does not have (any more), and of which there are points. */
      readonly strangers: readonly string[];
    }
  /** What was remembered of it stays as it was. */
  | { readonly name: string; readonly failure: Failure };

export interface RebuiltCatalog {
  readonly repositories: readonly RebuiltRepository[];
  /** Where runs and findings were read from; absent: there was none anywhere. */
  readonly ledger?: {
    readonly repository: string;
    readonly snapshot: string;
    /** Milliseconds since the epoch. */
    readonly time: number;
    readonly runs: number;
    readonly findings: number;
  };
}

export function renderRebuilt(
  { repositories, ledger }: RebuiltCatalog,
  timeZone: string,
  style: Style,
): string[] {
  return [
    ...repositories.flatMap((repository) => repositoryLines(repository, style)),
    ledger === undefined
      ? `${style.warning(signs.warning)} No ledger was found: of runs and findings nothing is known anew.`
      : `${style.good(signs.good)} ${formatCounted(ledger.runs, 'run')} and ${formatCounted(ledger.findings, 'finding')} ` +
        `from the ledger of ${formatTime(ledger.time, timeZone)} in ${printable(ledger.repository)}`,
  ];
}

function repositoryLines(found: RebuiltRepository, style: Style): string[] {
  const name = style.strong(printable(found.name));
  if ('failure' in found) {
    const { message } = found.failure;
    return [
      `${style.bad(signs.bad)} ${name}: ${printable(message)}`,
      '  What was remembered of it stays as it was.',
    ];
  }
  const { points, windows, bytes, strangers } = found;
  const counts = [formatCounted(points, 'point'), formatCounted(windows, 'window'), formatBytes(bytes)];
  const others =
    strangers.length === 0
      ? []
      : [`  Of ${strangers.map(printable).join(', ')} there are points; the policy has no such source.`];
  return [`${style.good(signs.good)} ${name}: ${counts.join(', ')}`, ...others];
}

export function rebuiltRecords({ repositories, ledger }: RebuiltCatalog): Record<string, unknown>[] {
  return [
    ...repositories.map((found) => {
      if (!('failure' in found)) return { type: 'rebuilt-repository', ...found };
      const { code, message } = found.failure;
      return { type: 'rebuilt-repository', name: found.name, failure: { code, message } };
    }),
    ...(ledger === undefined
      ? []
      : [
          {
            type: 'ledger',
            repository: ledger.repository,
            snapshot: ledger.snapshot,
            time: new Date(ledger.time).toISOString(),
            runs: ledger.runs,
            findings: ledger.findings,
          },
        ]),
  ];
}
