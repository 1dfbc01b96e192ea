import type { ReadStatus } from '../../cli/commands/status.ts';
import { readStatusFile } from '../../control/status-file.ts';
import { asOfNow } from '../../status/outdated.ts';
import type { Machine } from '../machine.ts';
import { type PlaceMachine, stateDirectory } from './place.ts';

/** Asks nobody but the file that the control plane writes with each judgement. */
export function readStatus(machine: PlaceMachine & Pick<Machine, 'clock'>): ReadStatus {
  return async (options) =>
    asOfNow(await readStatusFile(stateDirectory(options, machine)), machine.clock.now());
}
