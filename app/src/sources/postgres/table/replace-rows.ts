import { identifier, literal } from '../connection/replication-session.ts';
import { qualified, relationText } from './relation-name.ts';
import type { Statement } from './statement.ts';
import type { SequenceFacts, TriggerFacts } from './table-facts.ts';
import type { Intent, Unit } from './table-plan.ts';
import type { TargetState } from './target-state.ts';

/**
 * What is done around filling tables of today. Their triggers rest, so that rows come as they were; foreign keys of others
 * into them are taken off while they are empty and put back after, which checks every row. All of it is put back or none
 * of it happened.
 */
export function replaceRows(
  units: readonly Unit[],
  state: TargetState,
  intent: Intent,
): { readonly before: readonly Statement[]; readonly after: readonly Statement[] } {
  if (units.length === 0) return { before: [], after: [] };
  const triggers = units.flatMap(restingTriggers);
  const keys = intent.replace ? state.incoming : [];
  const truncated = units.map(
    ({ to, existing }) => (existing?.facts.partitioned ? '' : 'ONLY ') + qualified(to),
  );
  return {
    before: [
      ...triggers.map(({ table, trigger }) => ({
        what: `trigger ${trigger.name}`,
        sql: `ALTER TABLE ${table} DISABLE TRIGGER ${identifier(trigger.name)}`,
      })),
      ...keys.map(({ from, name }) => ({
        what: `foreign key ${name} of ${relationText(from)}`,
        sql: `ALTER TABLE ${qualified(from)} DROP CONSTRAINT ${identifier(name)}`,
      })),
      ...(intent.replace
        ? [{ what: 'emptying what is there', sql: `TRUNCATE TABLE ${truncated.join(', ')}` }]
        : []),
    ],
    after: [
      ...units.flatMap(raisedSequences),
      ...keys.map(({ from, name, definition }) => ({
        what: `putting back the foreign key ${name} of ${relationText(from)}`,
        sql: `ALTER TABLE ${qualified(from)} ADD CONSTRAINT ${identifier(name)} ${definition}`,
      })),
      ...keys.flatMap(({ from, name, comment }) =>
        comment === null
          ? []
          : [
              {
                what: `comment on foreign key ${name}`,
                sql: `COMMENT ON CONSTRAINT ${identifier(name)} ON ${qualified(from)} IS ${literal(comment)}`,
              },
            ],
      ),
      ...triggers.map(({ table, trigger }) => ({
        what: `trigger ${trigger.name}`,
        sql: `ALTER TABLE ${table} ENABLE ${trigger.enabled === 'A' ? 'ALWAYS ' : ''}TRIGGER ${identifier(trigger.name)}`,
      })),
    ],
  };
}

/** Only the owner may let them rest; otherwise they fire, which is said. */
function restingTriggers({ existing, to }: Unit): { table: string; trigger: TriggerFacts }[] {
  if (existing?.mayOwn !== true) return [];
  return firing(existing.facts.triggers).map((trigger) => ({ table: qualified(to), trigger }));
}

/** Those that an ordinary session sets off: O(rigin) and A(lways). */
export function firing(triggers: readonly TriggerFacts[]): TriggerFacts[] {
  return triggers.filter(({ enabled }) => enabled === 'O' || enabled === 'A');
}

/** A sequence never goes back: what it has given out since may be in use elsewhere. */
function raisedSequences({ root, existing }: Unit): Statement[] {
  return (existing?.facts.sequences ?? []).flatMap((now) => {
    const then = root.sequences.find(({ column }) => column === now.column);
    return then === undefined ? [] : [raiseSequence(now, then.next)];
  });
}

function raiseSequence(sequence: SequenceFacts, next: string): Statement {
  const name = qualified(sequence);
  const given = `last_value + CASE WHEN is_called THEN ${sequence.increment} ELSE 0 END`;
  const behind = BigInt(sequence.increment) > 0n ? '<' : '>';
  return {
    what: `value of sequence ${relationText(sequence)}`,
    sql: `SELECT pg_catalog.setval(${literal(name)}::regclass, ${next}, false) FROM ${name} WHERE ${given} ${behind} ${next}`,
    soft: true,
  };
}
