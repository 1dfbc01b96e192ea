import { Failure } from '@holdfast/engine';
import { type ServerAddress, serverName } from '../connection/server-address.ts';
import { failureFrom, sqlStateOf } from '../connection/server-error.ts';

/** What the target answered while something was done there, as our failure; by SQLSTATE, never by text. */
export function targetFailure(error: unknown, what: string, address: ServerAddress): Failure {
  if (error instanceof Failure) return error;
  const subject = serverName(address);
  const state = sqlStateOf(error);
  if (state === undefined || UNREACHABLE.test(state)) {
    const { message } = failureFrom(error, subject);
    return new Failure('source.unreachable', `the target was lost at ${what}: ${message}`, {
      subject,
      hint: NOTHING_CHANGED,
      cause: error,
    });
  }
  const { message, detail } = error as { message: string; detail?: string };
  const said = detail === undefined ? message : `${message} (${detail})`;
  const code =
    state === '42501' ? 'target.privilege' : state.startsWith('23') ? 'target.mismatch' : 'target.write';
  const hint = HINTS[state];
  return new Failure(code, `${what}: ${said} (SQLSTATE ${state})`, {
    subject,
    hint: hint === undefined ? NOTHING_CHANGED : `${NOTHING_CHANGED} ${hint}`,
    cause: error,
  });
}

/** Class 08, and a server that shuts down. */
const UNREACHABLE = /^(08|57P0[123])/;
const NOTHING_CHANGED = 'Nothing was changed there.';

const HINTS: Readonly<Record<string, string>> = {
  '42501': 'Give the role what is missing, or use one that has it; --as NAME needs only CREATE on a schema.',
  '23503':
    'Rows point to rows of another table: bring that one back too, or bring this one beside it with --as NAME.',
  '23505': 'Rows that are there have the same key: bring the table beside them with --as NAME, and compare.',
  '23514':
    'The table of today does not take some rows of then: bring it beside it with --as NAME, and compare.',
  '55P03': 'Somebody holds the table: see pg_stat_activity, or try when it is quieter.',
  '25006': 'It is a standby: name its primary.',
  '53100': "The target's disk is full.",
};
