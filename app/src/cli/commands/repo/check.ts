import { Failure } from '@holdfast/engine';
import { type Command, InvalidArgumentError } from 'commander';
import {
  accessFor,
  endRepositoryCommand,
  newCommand,
  present,
  type Work,
  withProgress,
} from '../../command-frame.ts';
import type { Context } from '../../context.ts';
import { formatCounted } from '../../format.ts';
import { parseSize } from '../../option-values.ts';
import { type CheckResult, checkRecords, errorsIn, renderCheck } from '../../render/check-findings.ts';
import type { RepositoryAccess } from '../../repository-options.ts';

/** Which packs to read: the n-th of t equal parts, or a random choice of a share or of so many bytes. */
export type DataSubset =
  | { readonly kind: 'part'; readonly part: number; readonly of: number }
  | { readonly kind: 'share'; readonly share: number }
  | { readonly kind: 'bytes'; readonly bytes: number };

export interface CheckOptions {
  readonly readData?: true;
  readonly readDataSubset?: DataSubset;
}

export type CheckRepository = (
  access: RepositoryAccess,
  options: CheckOptions,
  work: Work,
) => Promise<CheckResult>;

export function define(parent: Command, context: Context, checkRepository: CheckRepository): void {
  const command = newCommand(parent, {
    usage: 'check',
    summary: 'look for damage',
    description:
      'Looks whether all that snapshots refer to is there; with --read-data whether every byte of it is what was ' +
      'saved. Changes nothing. Ends with 1 when something is damaged.',
    examples: [
      ['holdfast repo check', 'the structure: fast'],
      ['holdfast repo check --read-data', 'all data, read and authenticated: as slow as the storage'],
      ['holdfast repo check --read-data-subset 3/7', 'a seventh of it: all of it within a week of nights'],
    ],
  });
  command
    .option('--read-data', 'read and authenticate all data')
    .option('--read-data-subset <subset>', 'only a part: n/t, x% or a size', parseDataSubset);
  endRepositoryCommand(command).action(async () => {
    const options = command.opts<CheckOptions>();
    if (options.readData === true && options.readDataSubset !== undefined) {
      throw new Failure('usage', '--read-data and --read-data-subset contradict each other');
    }
    const access = await accessFor(command, context);
    const result = await withProgress(command, context, (work) => checkRepository(access, options, work));
    const view = { lines: renderCheck.bind(null, result), records: () => checkRecords(result) };
    const errors = errorsIn(result.findings);
    present(command, context, view, errors > 0 ? 'answer' : 'confirmation');
    if (errors > 0) {
      throw new Failure('repository.damaged', formatCounted(errors, 'error'), {
        hint:
          'Do not prune or forget before you know what is affected; copy the repository as it is. Then ' +
          'holdfast repo repair --dry-run shows what can be mended.',
      });
    }
  });
}

export function parseDataSubset(text: string): DataSubset {
  const part = /^(\d+)\/(\d+)$/.exec(text);
  if (part !== null) {
    const [number, of] = [Number(part[1]), Number(part[2])];
    if (number < 1 || of < 1 || number > of) throw new InvalidArgumentError('Of n/t, n goes from 1 to t.');
    return { kind: 'part', part: number, of };
  }
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(text);
  if (percent === null) return { kind: 'bytes', bytes: parseSize(text) };
  const share = Number(percent[1]) / 100;
  if (share <= 0 || share > 1) throw new InvalidArgumentError('It is above 0 % and at most 100 %.');
  return { kind: 'share', share };
}
