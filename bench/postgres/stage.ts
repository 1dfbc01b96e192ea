import path from 'node:path';
import { type Account, type Command, type Measurement, measure, run } from '../measurement.ts';
import type { Cluster } from './cluster.ts';
import type { Holdfast } from './holdfast.ts';
import type { Programs } from './programs.ts';

/** How much is measured. */
export interface Size {
  /** pgbench's: 15 MB each. */
  readonly scale: number;
  readonly walBytes: number;
  /** Of each load. */
  readonly seconds: number;
}

export const sizes: Readonly<Record<string, Size>> = {
  // To try the program out: its figures say little.
  small: { scale: 10, walBytes: 200e6, seconds: 8 },
  large: { scale: 100, walBytes: 1.5e9, seconds: 60 },
};

/** What every operation works with. */
export interface Stage {
  readonly programs: Programs;
  readonly cluster: Cluster;
  readonly holdfast: Holdfast;
  readonly size: Size;
  /** Who the server runs as, when that is not us. */
  readonly account: Account | undefined;
  /** A directory that is ours and the server's. */
  readonly scratch: string;
  readonly runs: number;
  readonly signal: AbortSignal;
  readonly tell: (line: string) => void;
}

/** One figure of a race. */
export interface Lap extends Measurement {
  readonly work: string;
  readonly label: string;
  /** What the repository or the directory grew by. */
  readonly storedBytes?: number;
}

/** An operation prints what it found as Markdown; what it cannot measure here it says instead. */
export interface Operation {
  readonly title: string;
  readonly play: (stage: Stage) => Promise<string>;
}

/** What the one before left to be written must not be the next one's burden; nor a checkpoint that was due anyway. */
export async function settle({ cluster, signal }: Stage): Promise<void> {
  await cluster.query('CHECKPOINT');
  await run({ program: 'sync', args: [] }, signal);
}

export async function measured(stage: Stage, command: Command): Promise<Measurement> {
  await settle(stage);
  return await measure(command, stage.scratch, stage.signal);
}

/** A client program of PostgreSQL's, told where the server is. */
export function client({ cluster }: Stage, program: string, ...args: string[]): Command {
  return { program, args, environment: cluster.environment };
}

/** Who begins alternates from round to round. */
export function inTurn<Item>(items: readonly Item[], round: number): Item[] {
  return round % 2 === 0 ? [...items] : items.toReversed();
}

export function place({ scratch }: Stage, ...names: string[]): string {
  return path.join(scratch, ...names);
}
