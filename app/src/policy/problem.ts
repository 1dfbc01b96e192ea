/** Why a text is no policy: one thing to mend. None of its texts holds what may be a secret. */
export interface PolicyProblem {
  /** Both from 1. */
  readonly line: number;
  readonly column: number;
  /** Cells from the column on that it is about. */
  readonly length: number;
  /** `sources.media.keep.for`; empty for the whole file. */
  readonly path: string;
  /** One sentence: what is wrong. */
  readonly message: string;
  /** One sentence: what to write instead. */
  readonly suggestion?: string;
  /** The line up to what it is about, without what may be a secret. */
  readonly excerpt: string;
  /** Where in the excerpt that begins, from 0. */
  readonly offset: number;
}

export type Path = readonly (string | number)[];

/** A problem before it is known where its path lies in the text. */
export interface Complaint {
  readonly path: Path;
  /** The key is meant, not what is behind it. */
  readonly key?: boolean;
  /** What is written there may be a secret: it is not shown. */
  readonly secret?: boolean;
  readonly message: string;
  readonly suggestion?: string;
}

export function pathText(path: Path): string {
  return path.reduce<string>(
    (text, part) =>
      typeof part === 'number' ? `${text}[${part + 1}]` : text === '' ? part : `${text}.${part}`,
    '',
  );
}
