import { posix } from 'node:path';
import { Failure } from '../../kernel/failure.ts';
import { type ComponentTest, compileComponent } from './component.ts';
import type { PathText } from './path-text.ts';

/** A list of patterns, compiled. Paths are absolute, cleaned, without a slash at the end. */
export interface Matcher {
  /** Whether the path or a directory above it matches, and no later pattern with `!` takes it back. */
  matches(path: PathText): boolean;
  /** Whether something below this directory can match. */
  childMayMatch(directory: PathText): boolean;
}

export interface MatcherOptions {
  readonly ignoreCase?: boolean;
}

/**
 * Compiles patterns with restic's meaning (restic manual, "Excluding Files"):
 * - each component is matched as in {@link compileComponent}, whole components only;
 * - a leading `/` anchors a pattern at the root, any other may begin at any depth;
 * - `**` stands for any number of directories, also none;
 * - a path matches as well when a directory above it does;
 * - `!` takes back what earlier patterns matched; later ones may match it again;
 * - `.`, `..` and needless slashes are cleaned away first; empty patterns are ignored.
 *
 * A malformed pattern is a `usage` failure.
 *
 * One known difference: where an anchored pattern has two `**`, the second at its end, restic does not let that one
 * stand for none, and so keeps the matched directory itself, empty. Here it matches, as it does for `x/**` in both.
 */
export function compilePatterns(
  patterns: readonly string[],
  { ignoreCase = false }: MatcherOptions = {},
): Matcher {
  const compiled = patterns
    .filter((pattern) => pattern !== '')
    .map((pattern) => compileOne(pattern, ignoreCase));
  const takesBack = compiled.some((pattern) => pattern.negated);
  const prepare = (path: PathText): string[] => splitPath(ignoreCase ? path.toLowerCase() : path);

  return {
    matches(path) {
      if (compiled.length === 0) return false;
      const components = prepare(path);
      let matched = false;
      for (const pattern of compiled) {
        if (matched !== pattern.negated || !pattern.matches(components)) continue;
        matched = !pattern.negated;
        if (matched && !takesBack) return true;
      }
      return matched;
    },
    childMayMatch(directory) {
      if (compiled.length === 0) return false;
      const components = prepare(directory);
      let may = false;
      for (const pattern of compiled) {
        if (pattern.negated) may &&= !pattern.matches(components);
        else may ||= pattern.mayMatchBelow(components);
        if (may && !takesBack) return true;
      }
      return may;
    },
  };
}

const ANY_DEPTH = Symbol('**');

type Step = ComponentTest | typeof ANY_DEPTH;

interface CompiledPattern {
  readonly negated: boolean;
  matches(components: readonly string[]): boolean;
  mayMatchBelow(components: readonly string[]): boolean;
}

function compileOne(pattern: string, ignoreCase: boolean): CompiledPattern {
  const negated = pattern.startsWith('!');
  const text = posix.normalize(negated ? pattern.slice(1) : pattern);
  const anchored = text.startsWith('/');
  const steps = splitPath(ignoreCase ? text.toLowerCase() : text).map((component): Step => {
    if (component === '**') return ANY_DEPTH;
    const test = compileComponent(component);
    if (test === undefined) {
      throw new Failure('usage', `The pattern ${pattern} is malformed.`, {
        subject: pattern,
        hint: 'Close every [class]; write \\[ for a bracket in a name and \\\\ for a backslash.',
      });
    }
    return test;
  });
  return {
    negated,
    matches: anchored ? (components) => matchesFrom(steps, 0, components, 0) : matchesAnywhere(steps),
    mayMatchBelow: anchored ? (components) => reachesInto(steps, components) : () => true,
  };
}

function splitPath(path: string): string[] {
  const start = path.startsWith('/') ? 1 : 0;
  const end = path.length > start && path.endsWith('/') ? path.length - 1 : path.length;
  return start === end ? [] : path.slice(start, end).split('/');
}

function matchesAnywhere(steps: readonly Step[]): (components: readonly string[]) => boolean {
  const [only] = steps;
  if (steps.length === 1 && typeof only === 'function') {
    return (components) => {
      // The last component first: directories above were asked about before, and then nobody came down here.
      for (let at = components.length - 1; at >= 0; at--) if (only(components[at] as string)) return true;
      return false;
    };
  }
  return (components) => {
    for (let at = components.length - 1; at >= 0; at--)
      if (matchesFrom(steps, 0, components, at)) return true;
    return false;
  };
}

/** Whether the steps from `step` on match the components from `at` on; what is left of the path lies below. */
function matchesFrom(
  steps: readonly Step[],
  step: number,
  components: readonly string[],
  at: number,
): boolean {
  for (; step < steps.length; step++, at++) {
    const test = steps[step] as Step;
    if (test === ANY_DEPTH) {
      for (let next = at; next <= components.length; next++) {
        if (matchesFrom(steps, step + 1, components, next)) return true;
      }
      return false;
    }
    if (at >= components.length || !test(components[at] as string)) return false;
  }
  return true;
}

/** Whether a directory is on the way to what an anchored pattern matches, or below it. */
function reachesInto(steps: readonly Step[], components: readonly string[]): boolean {
  for (let at = 0; at < steps.length && at < components.length; at++) {
    const test = steps[at] as Step;
    if (test === ANY_DEPTH) return true;
    if (!test(components[at] as string)) return false;
  }
  return true;
}
