import path from 'node:path';
import type { Machine } from '../machine.ts';

/** Where the spools of journals lie when nobody says where: state of this user (XDG Base Directory Specification). */
export function spoolRoot({
  environment,
  homeDirectory,
}: Pick<Machine, 'environment' | 'homeDirectory'>): string {
  const state = environment['XDG_STATE_HOME'] || path.join(homeDirectory, '.local/state');
  return path.join(state, 'holdfast', 'journal');
}
