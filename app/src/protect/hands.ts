import { Failure } from '@holdfast/engine';
import type { Work } from '../cli/command-frame.ts';
import type { CommandParts } from '../cli/command-table.ts';
import type { RepositoryAccess } from '../cli/repository-options.ts';
import type { LabelMachine } from '../operations/files/snapshot-labels.ts';
import type { AccessMachine } from '../operations/repository-access.ts';
import type { CopyPolicy, PlainOrSecret, Policy, RepositoryPolicy, SourcePolicy } from '../policy/model.ts';
import type { Order, RatesAt } from './task.ts';

/** What carries out a task: the same functions that stand behind the commands that a person types. */
export type Operations = Pick<
  CommandParts,
  | 'backupFiles'
  | 'backUpBase'
  | 'keepJournal'
  | 'listBases'
  | 'listPoints'
  | 'copySnapshots'
  | 'planForget'
  | 'planPrune'
  | 'checkRepository'
>;

export interface Hands {
  readonly operations: Operations;
  readonly machine: AccessMachine & LabelMachine;
  /** The address and password of a repository, from where the policy refers to. */
  accessOf(repository: RepositoryPolicy, signal: AbortSignal): Promise<RepositoryAccess>;
  textOf(value: PlainOrSecret, signal: AbortSignal): Promise<string>;
}

/** A task under way: what it was ordered, what it works with, how it is stopped and watched. */
export interface Duty {
  readonly order: Order;
  readonly hands: Hands;
  readonly work: Work;
  /** As it is now. */
  readonly rates: () => RatesAt;
}

/** All that is needed to open a repository for a task, held to what the task may use of it. */
export async function accessFor(
  { hands, work, rates }: Duty,
  repository: RepositoryPolicy,
): Promise<RepositoryAccess> {
  const { name } = repository;
  return {
    ...(await hands.accessOf(repository, work.signal)),
    limits: {
      upload: () => rates()[name]?.upload,
      download: () => rates()[name]?.download,
      requests: () => rates()[name]?.requests,
    },
  };
}

export function repositoryNamed({ repositories }: Policy, name: string): RepositoryPolicy {
  return named(repositories, name, 'repository');
}

export function sourceNamed({ sources }: Policy, name: string): SourcePolicy {
  return named(sources, name, 'source');
}

export function copyNamed({ copies }: Policy, name: string): CopyPolicy {
  return named(copies, name, 'copy');
}

/** The policy may have changed while the task waited. */
function named<Item extends { readonly name: string }>(
  items: readonly Item[],
  name: string,
  noun: string,
): Item {
  const found = items.find((item) => item.name === name);
  if (found !== undefined) return found;
  throw new Failure('usage', `the policy has no ${noun} "${name}"`, {
    hint: `It has ${items.map((item) => item.name).join(', ') || 'none'}.`,
  });
}

/** A rate in the KiB/s of the command line. */
export function kibibytes(rate: number | undefined): number | undefined {
  return rate === undefined ? undefined : Math.max(1, Math.floor(rate / 1024));
}
