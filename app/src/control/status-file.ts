import { readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Failure } from '@holdfast/engine';
import type { Status } from '../status/status.ts';

/** Where the last judgement lies: it can be read while the control plane's memory is away, and a thousand times a second. */
const NAME = 'status.json';

/** Whole or not at all: whoever reads while it is written reads the one before. */
export async function writeStatusFile(stateDirectory: string, status: Status): Promise<void> {
  const file = path.join(stateDirectory, NAME);
  const draft = `${file}.new`;
  await writeFile(draft, JSON.stringify({ version: VERSION, status }), { mode: 0o600 });
  await rename(draft, file);
}

/** Rejects with `state.missing` where no control plane has ever judged, or none that we understand. */
export async function readStatusFile(stateDirectory: string): Promise<Status> {
  const file = path.join(stateDirectory, NAME);
  try {
    const { version, status } = JSON.parse(await readFile(file, 'utf8')) as {
      version: number;
      status: Status;
    };
    if (version !== VERSION) throw new Error('another version of Holdfast wrote it');
    return status;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Failure(
      'state.missing',
      code === 'ENOENT' ? 'nothing is known yet' : `what is known cannot be read: ${message}`,
      {
        subject: file,
        hint: 'Is holdfast up running, and with this state directory? Name it with --state.',
        cause: error,
      },
    );
  }
}

const VERSION = 1;
