/** Many files of text in a tree of directories. */
export interface TreeCorpus {
  readonly kind: 'tree';
  readonly files: number;
  readonly directories: number;
  /** Of all files together, near enough. */
  readonly bytes: number;
  /** The share of files that are copies of others. */
  readonly duplicates: number;
}

/** Files of a few bytes each, evenly between 0 and `largest`. */
export interface TinyCorpus {
  readonly kind: 'tiny';
  readonly files: number;
  readonly directories: number;
  readonly largest: number;
}

/** A few large files. */
export interface LargeCorpus {
  readonly kind: 'large';
  readonly files: readonly { readonly name: string; readonly content: Content; readonly mebibytes: number }[];
}
export type Content = 'database' | 'archive' | 'incompressible';

export type Corpus = TreeCorpus | TinyCorpus | LargeCorpus;

/** Part of what a figure means, as the table below is. */
export const SEED = 'holdfast 1';

/** What is measured. Changing any of it makes new figures incomparable with the old ones. */
export const corpora: Readonly<Record<string, Corpus>> = {
  small: { kind: 'tree', files: 105_000, directories: 10_000, bytes: 1.45e9, duplicates: 0.15 },
  large: {
    kind: 'large',
    files: [
      { name: 'orders.db', content: 'database', mebibytes: 600 },
      { name: 'events.db', content: 'database', mebibytes: 300 },
      { name: 'release-1.tar', content: 'archive', mebibytes: 512 },
      { name: 'release-2.tar', content: 'archive', mebibytes: 400 },
    ],
  },
  random: {
    kind: 'large',
    files: Array.from({ length: 11 }, (_, index) => ({
      name: `volume-${index + 1}.bin`,
      content: 'incompressible' as const,
      mebibytes: 96,
    })),
  },
  tiny: { kind: 'tiny', files: 1_000_000, directories: 10_000, largest: 200 },
  mini: { kind: 'tree', files: 2_000, directories: 200, bytes: 20e6, duplicates: 0.15 },
};

/** A corpus of the same kind with so much of everything (0 < share): fewer files, or smaller ones where they are few. */
export function scaled(corpus: Corpus, share: number): Corpus {
  if (share === 1) return corpus;
  const part = (count: number) => Math.max(1, Math.round(count * share));
  if (corpus.kind === 'large') {
    return { ...corpus, files: corpus.files.map((file) => ({ ...file, mebibytes: part(file.mebibytes) })) };
  }
  const counts = { files: part(corpus.files), directories: part(corpus.directories) };
  return corpus.kind === 'tiny'
    ? { ...corpus, ...counts }
    : { ...corpus, ...counts, bytes: part(corpus.bytes) };
}
