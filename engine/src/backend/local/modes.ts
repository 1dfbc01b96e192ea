import { stat } from 'node:fs/promises';
import { type Modes, modesLike, OWNER_ONLY } from '../modes.ts';
import { errnoOf } from './errno.ts';

/** Those that go with the `config` that is there. */
export async function modesBeside(configPath: string): Promise<Modes> {
  try {
    return modesLike((await stat(configPath)).mode);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return OWNER_ONLY;
  }
}
