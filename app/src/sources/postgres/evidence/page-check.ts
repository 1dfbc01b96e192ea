import { createReadStream } from 'node:fs';
import { readdir, realpath } from 'node:fs/promises';
import path from 'node:path';
import { createPageSums, type Finding } from '@holdfast/engine';
import { firstBlock, isRelationFile } from '../base/relation-file.ts';

export interface PageVerdict {
  readonly pages: number;
  readonly findings: readonly Finding[];
}

/**
 * Sums every page of a data directory whose server was shut down cleanly, tablespaces too: then each that is in use has
 * the checksum that is written on it.
 */
export async function checkPages(dataDirectory: string, signal: AbortSignal): Promise<PageVerdict> {
  const sums = createPageSums();
  const findings: Finding[] = [];
  let pages = 0;
  for await (const name of relationFiles(dataDirectory, '')) {
    signal.throwIfAborted();
    const wrong: number[] = [];
    sums.begin({ firstBlock: firstBlock(name), since: ALL, onWrong: (block) => wrong.push(block) });
    const bytes = createReadStream(path.join(dataDirectory, name), { highWaterMark: READ_BYTES });
    for await (const piece of bytes as AsyncIterable<Buffer>) sums.add(piece);
    pages += sums.end().pages;
    if (wrong.length > 0) findings.push(wrongPages(name, wrong));
  }
  return { pages, findings };
}

/** Names below the data directory. */
async function* relationFiles(dataDirectory: string, below: string): AsyncGenerator<string> {
  // Tablespaces are links.
  const place = await realpath(path.join(dataDirectory, below));
  for (const entry of await readdir(place, { withFileTypes: true })) {
    const name = path.posix.join(below, entry.name);
    if (entry.isFile()) {
      if (isRelationFile(name)) yield name;
    } else if (PLACES.some((pattern) => pattern.test(name))) {
      yield* relationFiles(dataDirectory, name);
    }
  }
}

function wrongPages(name: string, blocks: readonly number[]): Finding {
  const some = blocks.slice(0, MOST_TOLD).join(', ');
  return {
    severity: 'error',
    code: 'pages.damaged',
    subject: name,
    message:
      blocks.length === 1
        ? `page ${some} of the copy has a wrong checksum`
        : `${blocks.length} pages of the copy have a wrong checksum (${some}${blocks.length > MOST_TOLD ? ', …' : ''})`,
    hint: 'Do not rely on this base. Which table it is: SELECT pg_filenode_relation(0, <the number in the name>).',
  };
}

const PLACES = [
  /^(?:global|base|pg_tblspc)$/,
  /^base\/\d+$/,
  /^pg_tblspc\/\d+$/,
  /^pg_tblspc\/\d+\/PG_[^/]+(?:\/\d+)?$/,
];
/** Beyond every position of a log: no page is passed over. */
const ALL = 2n ** 64n - 1n;
const READ_BYTES = 1024 * 1024;
const MOST_TOLD = 5;
