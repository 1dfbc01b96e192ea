import { readPolicyText } from '../../control/policy-file.ts';
import { resolveText } from '../../secrets/resolve-secret.ts';
import type { AlertSources } from '../alerts/test.ts';
import type { PolicyMachine } from '../policy/policy-file.ts';
import { parseOrRefuse } from './load-policy.ts';
import { type PlaceMachine, policyFile } from './place.ts';

/** Where the channels' addresses come from: the policy, and what it refers to. */
export function alertSources(machine: PlaceMachine & PolicyMachine): AlertSources {
  return {
    readPolicy: async (policy) =>
      parseOrRefuse(
        await readPolicyText(policyFile(policy === undefined ? {} : { policy }, machine)),
        machine,
      ),
    readValue: (reference, signal) => resolveText(reference, { environment: machine.environment, signal }),
  };
}
