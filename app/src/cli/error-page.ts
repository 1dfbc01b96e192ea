import { readFileSync } from 'node:fs';
import { type FailureCode, failureTable } from '@holdfast/engine';

/** Relative to this file: where the build puts the pages beside the program, then where a checkout keeps them. */
const PLACES = ['../errors/', '../../../docs/errors/'] as const;

export function isFailureCode(text: string): text is FailureCode {
  return Object.hasOwn(failureTable, text);
}

/** The page of `docs/errors` about a code, as Markdown. Only the table's codes become file names. */
export function errorPage(code: FailureCode): string {
  let missing: unknown;
  for (const place of PLACES) {
    try {
      return readFileSync(new URL(`${place}${code}.md`, import.meta.url), 'utf8');
    } catch (error) {
      missing = error;
    }
  }
  throw new Error(`the page about ${code} is missing from this installation`, { cause: missing });
}
