import { Failure, isFailure } from '@holdfast/engine';
import { sqlStateOf } from '../sources/postgres/connection/server-error.ts';

/** What the database of the control plane, or the way to it, answered: by SQLSTATE or errno, never by text. */
export function stateFailure(error: unknown): Failure {
  if (isFailure(error) && !error.code.startsWith('source.')) return error;
  const state = sqlStateOf(error);
  if (state === '53100') {
    return new Failure('state.full', "the disk with the control plane's database is full", {
      hint: 'Make room; it goes on by itself.',
      cause: error,
    });
  }
  if (state === 'XX001' || state === 'XX002') {
    return new Failure('state.damaged', `the control plane's database has damage (SQLSTATE ${state})`, {
      hint: 'Is the disk failing? "holdfast catalog rebuild" fills a new one from the repositories.',
      cause: error,
    });
  }
  const said = (error as Error).message;
  const details = {
    ...(isFailure(error) && error.subject !== undefined ? { subject: error.subject } : {}),
    cause: error,
  };
  if (isConnectionTrouble(state)) {
    return new Failure('state.unavailable', `the control plane's database does not answer: ${said}`, details);
  }
  if (/^(?:28|3D|42501)/.test(state ?? '')) {
    return new Failure('state.denied', `the control plane's database does not let us in: ${said}`, {
      ...details,
      hint: 'The role of DATABASE_URL needs to log in and to make schemas in its database.',
    });
  }
  return new Failure('internal', `the control plane's database refused a statement: ${said} (${state})`, {
    cause: error,
  });
}

/** The server is gone, going, coming or full of connections; errors without a SQLSTATE are the socket's. */
function isConnectionTrouble(state: string | undefined): boolean {
  return state === undefined || state.startsWith('08') || state.startsWith('57P') || state === '53300';
}
