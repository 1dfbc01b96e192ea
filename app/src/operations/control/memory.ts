import { Failure } from '@holdfast/engine';
import { readBeat } from '../../catalog/beat.ts';
import type { ControlOptions } from '../../cli/control-options.ts';
import { formatAge } from '../../cli/format.ts';
import { openState, type State } from '../../state/state.ts';
import type { Machine } from '../machine.ts';
import { type PlaceMachine, stateDirectory } from './place.ts';

export type MemoryMachine = PlaceMachine & Pick<Machine, 'clock'>;

/** The control plane's memory, for a command that asks it something. One of ours is started for that where it rests. */
export function openMemory(
  options: Pick<ControlOptions, 'state'>,
  { clock, ...machine }: MemoryMachine,
  signal: AbortSignal,
): Promise<State> {
  const databaseUrl = machine.environment['DATABASE_URL'];
  return openState({
    directory: stateDirectory(options, machine),
    clock,
    signal,
    ...(databaseUrl ? { databaseUrl } : {}),
  });
}

/** Rejects with `state.unavailable` when no control plane is there that would do what is asked of it. */
export async function refuseWithoutControlPlane(
  { database }: State,
  { clock }: MemoryMachine,
): Promise<void> {
  const beat = await readBeat(database);
  const now = clock.now();
  if (beat !== undefined && now - beat < SILENCE_MS) return;
  const since = beat === undefined ? 'has never run' : `showed its last sign of life ${formatAge(beat, now)}`;
  throw new Failure('state.unavailable', `the control plane ${since}`, {
    hint: 'Start it with holdfast up. Without it: holdfast files backup, holdfast postgres backup.',
  });
}

const SILENCE_MS = 30_000;
