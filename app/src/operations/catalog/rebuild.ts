import { type Failure, isFailure } from '@holdfast/engine';
import { readFindings } from '../../catalog/findings.ts';
import { replaceCatalog } from '../../catalog/rebuild.ts';
import { saveSize } from '../../catalog/sizes.ts';
import type { RebuildCatalog } from '../../cli/commands/catalog/rebuild.ts';
import type { RebuiltRepository } from '../../cli/render/rebuilt-catalog.ts';
import { readPolicyText } from '../../control/policy-file.ts';
import type { Policy } from '../../policy/model.ts';
import type { Duty, Operations } from '../../protect/hands.ts';
import { type FoundLedger, newestLedger } from '../../protect/newest-ledger.ts';
import { surveyRepository } from '../../protect/survey.ts';
import type { RepositorySurvey } from '../../protect/task.ts';
import type { Transaction } from '../../state/session.ts';
import { handsOf } from '../control/hands.ts';
import { parseOrRefuse } from '../control/load-policy.ts';
import { openMemory } from '../control/memory.ts';
import { policyFile, stateDirectory } from '../control/place.ts';
import type { Machine } from '../machine.ts';

/** What one repository says: of a repository that cannot be reached nothing is known, and nothing is changed. */
type Looked =
  | { readonly name: string; readonly survey: RepositorySurvey; readonly ledger?: FoundLedger }
  | { readonly name: string; readonly failure: Failure };

/** All repositories are read before anything that is remembered is touched. */
export function rebuildCatalog(machine: Machine, operations: Operations): RebuildCatalog {
  return async (request, work) => {
    const policy = parseOrRefuse(await readPolicyText(policyFile(request, machine)), machine);
    const hands = handsOf(machine, operations);
    const looked: Looked[] = [];
    for (const { name } of policy.repositories) {
      work.progress.note(`Reading ${name} …`);
      const task = { kind: 'survey', repository: name } as const;
      const order = {
        task,
        policy,
        stateDirectory: stateDirectory(request, machine),
        findings: [],
        rates: {},
      };
      looked.push(await look(name, { order, hands, work, rates: NO_RATES }));
    }
    const ledger = newestOf(looked);
    if (looked.some((found) => 'survey' in found)) {
      await using state = await openMemory(request, machine, work.signal);
      await state.database.transaction((transaction) => exchange(transaction, looked, ledger));
    }
    return {
      repositories: looked.map((found) => told(found, policy)),
      ...(ledger === undefined
        ? {}
        : {
            ledger: { ...ledger, runs: ledger.ledger.runs.length, findings: ledger.ledger.findings.length },
          }),
    };
  };
}

async function look(name: string, duty: Duty): Promise<Looked> {
  const { signal, progress } = duty.work;
  try {
    const { survey } = await surveyRepository(duty, name);
    const ledger = await newestLedger(duty, name, ({ message }) =>
      progress.note(`A ledger in ${name} cannot be read, an older one is taken: ${message}`),
    );
    return { name, survey, ...(ledger === undefined ? {} : { ledger }) };
  } catch (error) {
    if (!isFailure(error) || signal.aborted) throw error;
    return { name, failure: error };
  }
}

function newestOf(looked: readonly Looked[]): FoundLedger | undefined {
  return looked
    .flatMap((found) => ('survey' in found && found.ledger !== undefined ? found.ledger : []))
    .toSorted((a, b) => b.time - a.time)[0];
}

/** Where no ledger was found nobody says what was wrong: what is remembered of that stays. */
async function exchange(
  transaction: Transaction,
  looked: readonly Looked[],
  found: FoundLedger | undefined,
): Promise<void> {
  for (const place of looked) {
    if (!('survey' in place)) continue;
    const { name: repository, survey } = place;
    const findings =
      found?.ledger.findings.filter((finding) => finding.repository === repository) ??
      (await readFindings(transaction, repository));
    const { points, windows } = survey;
    await replaceCatalog(transaction, repository, {
      points,
      windows,
      findings,
      runs: found?.ledger.runs ?? [],
    });
    await saveSize(transaction, survey.size);
  }
}

function told(found: Looked, { sources }: Policy): RebuiltRepository {
  if (!('survey' in found)) return found;
  const { name, survey } = found;
  const known = new Set(sources.map((source) => source.name));
  const strangers = new Set(survey.points.map(({ source }) => source)).difference(known);
  return {
    name,
    points: survey.points.length,
    windows: survey.windows.length,
    bytes: survey.size.bytes,
    strangers: [...strangers].sort(),
  };
}

/** A person waits for it. */
const NO_RATES = () => ({});
