import { Failure } from '../../kernel/failure.ts';
import type { Root, SelectionRules, TagFile } from './exclude.ts';
import { compilePatterns } from './pattern.ts';
import { type Environment, parsePatternFile } from './pattern-file.ts';

/** What a person says about a backup's selection, with files read and roots looked at already. */
export interface SelectionFlags {
  readonly exclude?: readonly string[];
  readonly iexclude?: readonly string[];
  readonly excludeFiles?: readonly PatternFile[];
  readonly iexcludeFiles?: readonly PatternFile[];
  readonly excludeCaches?: boolean;
  /** `FILE` or `FILE:HEADER`. */
  readonly excludeIfPresent?: readonly string[];
  /** As {@link parseSize} reads it. */
  readonly excludeLargerThan?: string;
  /** Present with `--one-file-system`. */
  readonly roots?: readonly Root[];
  readonly environment: Environment;
}

export interface PatternFile {
  /** For messages. */
  readonly name: string;
  readonly content: Uint8Array;
}

/** The Cache Directory Tagging Specification: the file's name and the 43 bytes that it begins with. */
const CACHE_TAG: TagFile = { name: 'CACHEDIR.TAG', header: 'Signature: 8a477f597d28d172789f06886806bc55' };

/** Puts the flags together; whatever can't be understood is a `usage` failure that names the flag or the file. */
export function selectionRules(flags: SelectionFlags): SelectionRules {
  const tagFiles = (flags.excludeIfPresent ?? []).map(parseTagFile);
  if (flags.excludeCaches) tagFiles.push(CACHE_TAG);
  return {
    patterns: collect('--exclude', flags.exclude, flags.excludeFiles, flags.environment),
    patternsIgnoringCase: collect('--iexclude', flags.iexclude, flags.iexcludeFiles, flags.environment),
    tagFiles,
    ...(flags.excludeLargerThan === undefined ? {} : { largerThan: parseSize(flags.excludeLargerThan) }),
    ...(flags.roots === undefined ? {} : { roots: flags.roots }),
  };
}

function collect(
  flag: string,
  patterns: readonly string[] = [],
  files: readonly PatternFile[] = [],
  environment: Environment,
): string[] {
  const lists = [{ origin: flag, patterns }];
  for (const { name, content } of files) {
    lists.push({ origin: `${flag}-file ${name}`, patterns: parsePatternFile(content, environment) });
  }
  for (const list of lists) {
    try {
      compilePatterns(list.patterns);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const hint = error.hint === undefined ? {} : { hint: error.hint };
      throw new Failure('usage', `${list.origin}: ${error.message}`, {
        subject: error.subject ?? list.origin,
        ...hint,
      });
    }
  }
  return lists.flatMap((list) => list.patterns).filter((pattern) => pattern !== '');
}

function parseTagFile(text: string): TagFile {
  const colon = text.indexOf(':');
  const name = colon < 0 ? text : text.slice(0, colon);
  if (name === '' || name.includes('/')) {
    throw new Failure('usage', `--exclude-if-present ${text}: this is no file name.`, {
      hint: 'Write FILE or FILE:HEADER; the file is looked for in every directory.',
    });
  }
  const header = colon < 0 ? '' : text.slice(colon + 1);
  return header === '' ? { name } : { name, header };
}

const UNITS = 'bkmgt';

/** Bytes of `2048`, `10k`, `1M`, `2g`, `1T` (powers of 1024). */
export function parseSize(text: string): number {
  const [, digits, unit] = /^(\d+)([bkmgt]?)$/i.exec(text) ?? [];
  const size = Number(digits) * 1024 ** Math.max(0, UNITS.indexOf((unit || 'b').toLowerCase()));
  if (digits === undefined || !Number.isSafeInteger(size)) {
    throw new Failure('usage', `${text} is no size.`, {
      hint: 'Write bytes, or a number with k, M, G or T.',
    });
  }
  return size;
}
