import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const PRODUCTS = 600;
const INVOICES = 40;
/** Of a picture. */
const BYTES = 12_000;

/** The shop's folder: a text and a picture of each product. */
export function fillPages(directory: string): void {
  mkdirSync(join(directory, 'invoices'), { recursive: true });
  for (let id = 1; id <= PRODUCTS; id += 1) {
    const shelf = join(directory, 'products', String(id % 20));
    mkdirSync(shelf, { recursive: true });
    writeFileSync(
      join(shelf, `${id}.html`),
      `<h1>Product ${id}</h1>\n${'<p>It lasts.</p>\n'.repeat(id % 40)}`,
    );
    writeFileSync(join(shelf, `${id}.jpg`), noise(`picture ${id}`));
  }
}

/** What the office does in the meantime. Answers how many files it wrote. */
export function writeInvoices(directory: string): number {
  for (let number = 1; number <= INVOICES; number += 1) {
    writeFileSync(join(directory, 'invoices', `${number}.pdf`), noise(`invoice ${number}`));
  }
  return INVOICES;
}

/** What no compression makes smaller, as pictures are. The same each time. */
function noise(name: string): Buffer {
  return createHash('shake256', { outputLength: BYTES }).update(name).digest();
}
