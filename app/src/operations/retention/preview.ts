import { Failure } from '@holdfast/engine';
import type { PreviewRetention } from '../../cli/commands/retention/preview.ts';
import type { PreviewedSource } from '../../cli/render/retention.ts';
import { readPolicyText } from '../../control/policy-file.ts';
import type { Policy, RepositoryPolicy } from '../../policy/model.ts';
import type { Duty, Operations } from '../../protect/hands.ts';
import { retentionInputs, rulesAt } from '../../protect/retention-inputs.ts';
import { seePoints } from '../../protect/see-points.ts';
import { expiries, previewRetention as previewOf } from '../../retention/preview-retention.ts';
import { handsOf } from '../control/hands.ts';
import { parseOrRefuse } from '../control/load-policy.ts';
import { policyFile, stateDirectory } from '../control/place.ts';
import type { Machine } from '../machine.ts';

/**
 * Asks the repositories alone: it says the same whether a control plane runs or not. Findings are in a control plane's
 * memory and count for nothing here, so that a point may be called good that a check has found damaged.
 */
export function previewRetention(machine: Machine, operations: Operations): PreviewRetention {
  return async ({ source, on, ...options }, work) => {
    const policy = parseOrRefuse(await readPolicyText(policyFile(options, machine)), machine);
    refuseUnknown(policy, source);
    const hands = handsOf(machine, operations);
    const previewed: PreviewedSource[] = [];
    for (const repository of policy.repositories) {
      if (!holds(policy, repository, source)) continue;
      const task = { kind: 'forget', repository: repository.name } as const;
      const order = { task, policy, stateDirectory: stateDirectory({}, machine), findings: [], rates: {} };
      const sources = await previewAt(repository, { order, hands, work, rates: () => ({}) }, on);
      previewed.push(...sources.filter((one) => source === undefined || one.source === source));
    }
    return previewed;
  };
}

function holds(policy: Policy, { name }: RepositoryPolicy, source: string | undefined): boolean {
  return rulesAt(policy, name).some((rule) => source === undefined || rule.source === source);
}

async function previewAt(
  repository: RepositoryPolicy,
  duty: Duty,
  on: number | undefined,
): Promise<PreviewedSource[]> {
  const { order, hands, work } = duty;
  const { policy, findings } = order;
  const access = await hands.accessOf(repository, work.signal);
  const seen = await seePoints(duty, repository.name, access);
  const now = hands.machine.clock.now();
  const until = Math.max(now, on ?? now);
  return retentionInputs(policy, repository.name, { ...seen, findings, now }).map(({ source, input }) => {
    const schedule = policy.sources.find(({ name }) => name === source)?.snapshot;
    const expected = schedule === undefined ? {} : { schedule };
    return {
      source,
      repository: repository.name,
      preview: previewOf(input, { until, ...expected }),
      expiries: expiries(input, { until: Math.max(until, now + HORIZON_MS), ...expected }),
    };
  });
}

function refuseUnknown({ sources }: Policy, wanted: string | undefined): void {
  if (wanted === undefined || sources.some(({ name }) => name === wanted)) return;
  throw new Failure('usage', `the policy has no source "${wanted}"`, {
    hint: `It has ${sources.map(({ name }) => name).join(', ')}.`,
  });
}

/** How far ahead it is looked when a point goes. */
const HORIZON_MS = 400 * 86_400_000;
