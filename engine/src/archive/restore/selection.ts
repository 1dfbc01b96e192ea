import type { PathText } from '../filter/path-text.ts';
import { compilePatterns } from '../filter/pattern.ts';

/**
 * What to restore, as patterns on the path within the snapshot (or within its subfolder). With includes, only what they
 * match comes back; what an exclude matches never does, nor anything below it.
 */
export interface RestoreRules {
  readonly include?: readonly string[];
  readonly includeIgnoringCase?: readonly string[];
  readonly exclude?: readonly string[];
  readonly excludeIgnoringCase?: readonly string[];
}

/** `wanted`: it is restored itself. `enter`: it is a directory below which something may be. */
export interface RestoreDecision {
  readonly wanted: boolean;
  readonly enter: boolean;
}

export type RestoreSelection = (path: PathText, isDirectory: boolean) => RestoreDecision;

const ALL: RestoreDecision = { wanted: true, enter: true };
const NOTHING: RestoreDecision = { wanted: false, enter: false };
const ON_THE_WAY: RestoreDecision = { wanted: false, enter: true };

export function compileRestoreRules(rules: RestoreRules = {}): RestoreSelection {
  const { include = [], includeIgnoringCase = [], exclude = [], excludeIgnoringCase = [] } = rules;
  const included = compilePatterns(include);
  const includedIgnoringCase = compilePatterns(includeIgnoringCase, { ignoreCase: true });
  const excluded = compilePatterns(exclude);
  const excludedIgnoringCase = compilePatterns(excludeIgnoringCase, { ignoreCase: true });
  const all = include.length === 0 && includeIgnoringCase.length === 0;
  return (path, isDirectory) => {
    if (excluded.matches(path) || excludedIgnoringCase.matches(path)) return NOTHING;
    if (all || included.matches(path) || includedIgnoringCase.matches(path)) return ALL;
    if (!isDirectory) return NOTHING;
    const onTheWay = included.childMayMatch(path) || includedIgnoringCase.childMayMatch(path);
    return onTheWay ? ON_THE_WAY : NOTHING;
  };
}
