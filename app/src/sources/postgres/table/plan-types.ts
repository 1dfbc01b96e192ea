import { Failure } from '@holdfast/engine';
import { identifier, literal } from '../connection/replication-session.ts';
import { qualified, relationText } from './relation-name.ts';
import type { Statement } from './statement.ts';
import type { TargetState } from './target-state.ts';
import { createType, type TypeFacts } from './type-facts.ts';

/** Pure: makes the types that are gone too. Refuses where a table could not be made or filled without help. */
export function planTypes(
  types: readonly TypeFacts[],
  state: TargetState,
): { readonly statements: readonly Statement[] } {
  const statements: Statement[] = [];
  const schemas = new Set<string>();
  for (const type of types) {
    const labels = state.types.get(qualified(type));
    if (labels !== undefined) refuseLackingLabels(type, labels);
    else if (type.kind !== 't') {
      const made = createType(type);
      if (made === undefined) throw lacking(type);
      if (!state.schemas.has(type.schema)) schemas.add(type.schema);
      statements.push(...made);
    }
  }
  const before = [...schemas].map((schema) => ({
    what: `schema ${schema}`,
    sql: `CREATE SCHEMA IF NOT EXISTS ${identifier(schema)}`,
  }));
  return { statements: [...before, ...statements] };
}

function refuseLackingLabels(type: TypeFacts, now: readonly string[]): void {
  const gone = type.labels.filter((label) => !now.includes(label));
  if (gone.length === 0) return;
  throw new Failure(
    'target.mismatch',
    `the type ${relationText(type)} lacks labels of then: ${gone.join(', ')}`,
    {
      hint: gone.map((label) => `ALTER TYPE ${qualified(type)} ADD VALUE ${literal(label)};`).join(' '),
    },
  );
}

function lacking(type: TypeFacts): Failure {
  const hint =
    type.extension === null
      ? 'It is of a kind that is not made again by itself: make it as it was, then try again.'
      : `It comes with an extension, which is installed first: CREATE EXTENSION ${identifier(type.extension)};`;
  return new Failure('target.mismatch', `the type ${relationText(type)} is not there`, { hint });
}
