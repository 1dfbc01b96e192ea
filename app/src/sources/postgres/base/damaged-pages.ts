import { Failure, type Finding } from '@holdfast/engine';

/** Pages of one file whose checksum is wrong. */
export interface DamagedFile {
  /** Below the data directory. */
  readonly path: string;
  /** In order; numbers count from the beginning of the relation, also in its further gigabytes. */
  readonly blocks: readonly number[];
}

/** Gathers damaged pages; of a disk that is wholly broken no more of them than a person can look at. */
export class DamagedPages {
  readonly #files = new Map<string, number[]>();
  #kept = 0;
  #count = 0;

  add(path: string, block: number): void {
    this.#count += 1;
    if (this.#kept === MOST_KEPT) return;
    this.#kept += 1;
    const blocks = this.#files.get(path) ?? [];
    blocks.push(block);
    this.#files.set(path, blocks);
  }

  /** All of them, also those that are not in `files`. */
  get count(): number {
    return this.#count;
  }

  get files(): DamagedFile[] {
    return Array.from(this.#files, ([path, blocks]) => ({ path, blocks }));
  }
}

/** What ends a base: each damaged file with its pages. */
export function damageFailure(pages: Pick<DamagedPages, 'files' | 'count'>): Failure {
  const [first] = pages.files;
  const lines = pages.files.slice(0, LINES).map(({ path, blocks }) => `${path}: ${pagesText(blocks)}`);
  const hidden = pages.files.length - lines.length;
  const what = first === undefined ? 'a page' : `page ${first.blocks[0]} of ${first.path}`;
  return new Failure('source.damaged', `${what} has a wrong checksum, ${pages.count} in all`, {
    ...(first === undefined ? {} : { subject: first.path }),
    hint: [
      'Damaged on the server:',
      ...lines.map((line) => `  ${line}`),
      ...(hidden > 0 ? [`  and in ${hidden} further files`] : []),
      `${first === undefined ? '' : `${whose(first.path)} `}To take the base as it is, damage and all: --accept-damage.`,
    ].join('\n'),
  });
}

/** What a base that was taken in spite of its damage says of it, a finding for each file. */
export function damageFindings(pages: Pick<DamagedPages, 'files' | 'count'>): Finding[] {
  if (pages.count === 0) return [];
  const { files } = pages;
  const listed = files.reduce((sum, { blocks }) => sum + blocks.length, 0);
  return [
    ...files.map(
      ({ path, blocks }): Finding => ({
        severity: 'error',
        code: 'postgres.page-damaged',
        subject: path,
        message: `${pagesText(blocks)} of ${path} ${blocks.length === 1 ? 'has' : 'have'} a wrong checksum`,
        hint: whose(path),
      }),
    ),
    ...(listed === pages.count ? [] : [furtherDamage(pages.count - listed)]),
  ];
}

/** The server looks at pages by itself; what it finds and we do not is damage all the same. */
export function unlocatedDamage(): Finding {
  return {
    severity: 'error',
    code: 'postgres.damage-unlocated',
    subject: 'BASE_BACKUP',
    message: 'the server found damaged pages in a file that we know no pages of',
    hint: "The server's log names the file and the page.",
  };
}

function furtherDamage(pages: number): Finding {
  return {
    severity: 'error',
    code: 'postgres.page-damaged',
    subject: 'further files',
    message: `${pages} further pages have a wrong checksum`,
    hint: "The server's log names files; look at its disk and memory first.",
  };
}

/** `pages 3, 7–9`. */
function pagesText(blocks: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const block of blocks) {
    const last = runs.at(-1);
    if (last !== undefined && last[1] + 1 === block) last[1] = block;
    else runs.push([block, block]);
  }
  const shown = runs.slice(0, RUNS).map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`));
  if (runs.length > RUNS) shown.push('…');
  return `${blocks.length === 1 ? 'page' : 'pages'} ${shown.join(', ')}`;
}

/** The SQL that names the table or index behind a file (the manual, "Database File Layout"). */
function whose(path: string): string {
  const [, space = '0', database, node] =
    /^(?:global|base\/(?=\d)|pg_tblspc\/(\d+)\/[^/]+\/)\/?(\d+(?=\/))?\/?(?:t\d+_)?(\d+)/.exec(path) ?? [];
  if (node === undefined) return "The server's log says more.";
  const relation = `SELECT pg_filenode_relation(${path.startsWith('global/') ? GLOBAL_TABLESPACE : space}, ${node})`;
  if (database === undefined) return `Which table it is: ${relation};`;
  return `Which table it is: SELECT datname FROM pg_database WHERE oid = ${database}; and in that database ${relation};`;
}

/** pg_tablespace.dat. */
const GLOBAL_TABLESPACE = 1664;
const MOST_KEPT = 10_000;
const LINES = 20;
const RUNS = 20;
