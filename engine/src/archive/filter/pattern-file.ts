import { linesOf } from './text-file.ts';

/** Looks up an environment variable. */
export type Environment = (name: string) => string | undefined;

/**
 * The patterns of an `--exclude-file`: one a line, white space around it trimmed, empty lines and those that begin with
 * `#` left out, `$NAME` and `${NAME}` replaced (by nothing where unset), `$$` a dollar sign.
 */
export function parsePatternFile(bytes: Uint8Array, environment: Environment): string[] {
  return linesOf(bytes)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => expandVariables(line, environment));
}

/**
 * As Go's `os.Expand`, which restic uses: a name is letters, digits and underscores, or one of the shell's special
 * characters; a `${` that is empty or never closed vanishes; a `$` before anything else stays.
 */
const VARIABLE = /\$(?:\{([*#$@!?0-9-])\}|\{([^}]*)\}|(\{)|([*#$@!?0-9-])|([A-Za-z_][A-Za-z0-9_]*))/g;

function expandVariables(text: string, environment: Environment): string {
  return text.replace(VARIABLE, (_, ...groups: (string | undefined)[]) => {
    const [special, braced, unclosed, bareSpecial, bare] = groups;
    if (unclosed !== undefined) return '';
    const name = special ?? braced ?? bareSpecial ?? bare ?? '';
    if (name === '$') return '$';
    return name === '' ? '' : (environment(name) ?? '');
  });
}
