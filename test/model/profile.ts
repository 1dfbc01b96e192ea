import { actions } from './actions.ts';
import type { Side } from './storage.ts';

/** Who works at the same time: one lane each, with the names of the actions that it draws from. */
export interface Profile {
  readonly lanes: readonly (readonly string[])[];
  /** What may come between two rounds, while nobody else is at work. */
  readonly alone: readonly string[];
  /** Where all of it happens, if not in both repositories. */
  readonly side?: Side;
}

const all = Object.keys(actions);
const besideOthers = all.filter((name) => actions[name]?.when !== 'alone');

/** By their names on the command line. */
export const profiles: Readonly<Record<string, Profile>> = {
  'all': {
    lanes: [besideOthers, besideOthers, besideOthers],
    alone: all.filter((name) => actions[name]?.when !== 'beside'),
  },
  'prune-beside-writers': {
    lanes: [
      ['backup'],
      ['backup', 'restic backup'],
      ['prune', 'prune after a short grace', 'forget', 'restore'],
    ],
    alone: [],
    side: 'main',
  },
};
