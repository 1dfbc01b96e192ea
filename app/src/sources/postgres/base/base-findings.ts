import type { Finding } from '@holdfast/engine';
import { configurationGrants } from '../server/configuration.ts';
import type { ServerKnowledge } from '../server/server-knowledge.ts';

export interface ReceivedFacts {
  readonly role: string;
  /** Undefined where the role may not ask by SQL. */
  readonly knowledge: ServerKnowledge | undefined;
  /** Whether postgresql.conf came with the data directory. */
  readonly holdsConfiguration: boolean;
}

/** What a base that is otherwise whole does not bring back. */
export function baseFindings({ role, knowledge, holdsConfiguration }: ReceivedFacts): Finding[] {
  return [...configurationFindings(role, knowledge, holdsConfiguration), ...unloggedFindings(knowledge)];
}

function configurationFindings(
  role: string,
  knowledge: ServerKnowledge | undefined,
  holdsConfiguration: boolean,
): Finding[] {
  const { located = false, unreadable = [] } = knowledge?.configuration ?? {};
  if (located ? unreadable.length === 0 : holdsConfiguration) return [];
  const database = 'in the database that it logs in to';
  return [
    {
      severity: 'warning',
      code: 'postgres.configuration',
      subject: unreadable[0] ?? 'postgresql.conf',
      message: located
        ? `the configuration lies outside of the data directory and is not in this base: ${unreadable.join(', ')}`
        : 'the configuration lies outside of the data directory and is not in this base',
      hint:
        knowledge === undefined
          ? `The role ${role} cannot log in for SQL, so it cannot read it: save it with holdfast files backup.`
          : `Let the role read it, as an administrator ${database}: ${configurationGrants(role).join(' ')}`,
    },
  ];
}

function unloggedFindings(knowledge: ServerKnowledge | undefined): Finding[] {
  return (knowledge?.databases ?? []).flatMap(({ name, unloggedTables = [] }): Finding[] => {
    if (unloggedTables.length === 0) return [];
    const shown = unloggedTables.slice(0, SHOWN).join(', ');
    const more = unloggedTables.length > SHOWN ? ` and ${unloggedTables.length - SHOWN} more` : '';
    return [
      {
        severity: 'note',
        code: 'postgres.unlogged',
        subject: name,
        message: `unlogged tables of ${name} come back empty: ${shown}${more}`,
        hint: 'ALTER TABLE … SET LOGGED; for those whose rows are wanted.',
      },
    ];
  });
}

const SHOWN = 5;
