import { Failure } from '@holdfast/engine';
import { identifier } from '../connection/replication-session.ts';
import { qualified, relationText } from './relation-name.ts';
import type { Intent, Unit } from './table-plan.ts';
import type { TargetState } from './target-state.ts';

/** What the role on the target would have to be allowed, with the SQL that allows it; undefined when nothing is missing. */
export function missingPrivileges(
  made: readonly Unit[],
  filled: readonly Unit[],
  state: TargetState,
  intent: Intent,
): Failure | undefined {
  const role = identifier(state.role);
  const grants: string[] = [];
  for (const schema of new Set(made.map(({ to }) => to.schema))) {
    const create = state.schemas.get(schema) ?? (state.mayCreateSchemas ? true : undefined);
    if (create === false) grants.push(`GRANT CREATE ON SCHEMA ${identifier(schema)} TO ${role};`);
    if (create === undefined)
      grants.push(`GRANT CREATE ON DATABASE ${identifier(state.database)} TO ${role};`);
  }
  for (const { existing, to } of filled) {
    if (existing === undefined) continue;
    const needed = [
      ...(existing.maySelect ? [] : ['SELECT']),
      ...(existing.mayInsert ? [] : ['INSERT']),
      ...(existing.mayTruncate || !intent.replace ? [] : ['TRUNCATE']),
    ];
    if (needed.length > 0) grants.push(`GRANT ${needed.join(', ')} ON ${qualified(to)} TO ${role};`);
  }
  if (intent.onlyMissing && filled.length > 0 && !state.mayUseTemporary) {
    grants.push(`GRANT TEMPORARY ON DATABASE ${identifier(state.database)} TO ${role};`);
  }
  if (grants.length > 0) {
    return new Failure('target.privilege', `the role ${state.role} may not do that in ${state.database}`, {
      hint: `Nothing was changed. As an administrator: ${grants.join(' ')}`,
    });
  }
  const [foreign] = intent.replace && filled.length > 0 ? state.incoming.filter(({ mayOwn }) => !mayOwn) : [];
  if (foreign === undefined) return undefined;
  return new Failure(
    'target.privilege',
    `${relationText(foreign.from)} points to ${relationText(foreign.to)} (${foreign.name}), and belongs to another role`,
    {
      hint:
        'Nothing was changed. That key is taken off and put back while the rows are replaced, which only its owner may: ' +
        `use the owner's role, or bring the table beside it with --as NAME.`,
    },
  );
}
