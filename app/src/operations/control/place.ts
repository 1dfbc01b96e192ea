import path from 'node:path';
import type { ControlOptions } from '../../cli/control-options.ts';
import type { Machine } from '../machine.ts';

export type PlaceMachine = Pick<Machine, 'environment' | 'homeDirectory' | 'workingDirectory'>;

/** The policy's file, absolute: named, else HOLDFAST_POLICY, else holdfast.yaml where we are. */
export function policyFile({ policy }: Pick<ControlOptions, 'policy'>, machine: PlaceMachine): string {
  const { environment, workingDirectory } = machine;
  return path.resolve(workingDirectory, policy ?? (environment['HOLDFAST_POLICY'] || 'holdfast.yaml'));
}

/** Where a control plane keeps what it must not forget, absolute. */
export function stateDirectory({ state }: Pick<ControlOptions, 'state'>, machine: PlaceMachine): string {
  const { environment, homeDirectory, workingDirectory } = machine;
  const named = state ?? environment['HOLDFAST_STATE'];
  if (named) return path.resolve(workingDirectory, named);
  if (process.getuid?.() === 0) return '/var/lib/holdfast';
  return path.join(environment['XDG_STATE_HOME'] || path.join(homeDirectory, '.local/state'), 'holdfast');
}
