import type { Action } from './action.ts';
import { backUp, backUpWithRestic } from './actions/backup.ts';
import { copy } from './actions/copy.ts';
import { damage } from './actions/damage.ts';
import { forget, forgetWithRestic, undo } from './actions/forget.ts';
import { check, listPoints, restore, unlock } from './actions/look.ts';
import { prune, pruneWithRestic } from './actions/prune.ts';
import { repair } from './actions/repair.ts';

/** All that happens. Stock restic's prune and check want the repository for themselves, and do not wait for it. */
export const actions: Readonly<Record<string, Action>> = {
  'backup': { weight: 24, when: 'beside', atLeast: 8, choose: backUp },
  'restic backup': { weight: 10, when: 'beside', atLeast: 2, choose: backUpWithRestic },
  'restore': { weight: 8, when: 'beside', atLeast: 2, choose: restore },
  'check': { weight: 4, when: 'beside', atLeast: 1, choose: check },
  'points': { weight: 4, when: 'beside', atLeast: 1, choose: listPoints },
  'copy': { weight: 8, when: 'either', atLeast: 2, choose: copy('main') },
  'copy back': { weight: 2, when: 'beside', atLeast: 1, choose: copy('copy') },
  'forget': { weight: 10, when: 'either', atLeast: 2, choose: forget },
  'forget --undo': { weight: 5, when: 'beside', atLeast: 1, choose: undo },
  'restic forget': { weight: 2, when: 'either', atLeast: 1, choose: forgetWithRestic },
  'prune': { weight: 5, when: 'beside', atLeast: 2, choose: prune([]) },
  'prune after a short grace': {
    weight: 9,
    when: 'either',
    atLeast: 3,
    choose: prune(['--keep-delete', '1s']),
  },
  'prune --instant-delete': { weight: 1, when: 'either', atLeast: 1, choose: prune(['--instant-delete']) },
  'restic prune': { weight: 3, when: 'alone', atLeast: 1, choose: pruneWithRestic },
  'repair': { weight: 2, when: 'either', atLeast: 1, choose: repair },
  'damage and repair --from': { weight: 8, when: 'alone', atLeast: 1, choose: damage },
  'unlock': { weight: 3, when: 'beside', atLeast: 1, choose: unlock },
};
