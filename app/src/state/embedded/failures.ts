import { Failure } from '@holdfast/engine';

/** Why a program of the server did not even run. */
export function doesNotRun(error: unknown, subject: string): Failure {
  const { code, stderr } = error as NodeJS.ErrnoException & { stderr?: string };
  if (code === 'ENOENT') {
    // The file is there; what is not is the loader that it names.
    return new Failure(
      'state.unsupported',
      'the PostgreSQL that comes with Holdfast does not run on this system',
      {
        subject,
        hint: 'On Alpine and other systems with musl, set DATABASE_URL to a PostgreSQL server.',
        cause: error,
      },
    );
  }
  if (code === 'ENOSPC') return full(subject, error);
  const said = stderr?.trim() ?? '';
  return new Failure('state.unavailable', `the database of the control plane could not be made (${code})`, {
    subject,
    ...(said === '' ? {} : { hint: `The last that was said:\n${said.slice(-MOST_SAID)}` }),
    cause: error,
  });
}

/** Why a server ended instead of taking connections, from what it logged since: by SQLSTATE, since words change. */
export function didNotStart(log: string, dataDirectory: string): Failure {
  const said = log.trimEnd().slice(-MOST_SAID);
  const codes = statesOf(log);
  if (codes.includes('53100')) return full(dataDirectory);
  const damaged = codes.find((code) => DAMAGE.test(code));
  const hint = said === '' ? 'It gave no reason.' : `The last that it said:\n${said}`;
  if (damaged === undefined) {
    return new Failure('state.unavailable', 'the database of the control plane did not start', {
      subject: dataDirectory,
      hint,
    });
  }
  return new Failure('state.damaged', `the database of the control plane is damaged (SQLSTATE ${damaged})`, {
    subject: dataDirectory,
    hint:
      'Is the disk failing? Move the directory aside and start again: a new one is made, and "holdfast catalog ' +
      `rebuild" fills it from the repositories, which this does not touch.\n${hint}`,
  });
}

/** Whether the log says that processes of a killed server are not gone yet: they go by themselves within seconds. */
export function isStillTaken(log: string): boolean {
  return statesOf(log).at(-1) === 'F0001';
}

function full(subject: string, cause?: unknown): Failure {
  return new Failure('state.full', 'the disk with the database of the control plane is full', {
    subject,
    hint: 'Make room; it goes on by itself. Never delete files below that directory by hand.',
    cause,
  });
}

/** The SQLSTATEs of lines that end a server. */
function statesOf(log: string): string[] {
  return Array.from(log.matchAll(/ ([0-9A-Z]{5}) (?:FATAL|PANIC):/g), ([, code = '']) => code);
}

/** Corruption, internal errors, and files that are gone (appendix A of PostgreSQL's manual). */
const DAMAGE = /^(?:XX...|58P01|58030)$/;
/** Characters. */
const MOST_SAID = 2000;
