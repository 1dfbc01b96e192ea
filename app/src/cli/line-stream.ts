import type { Output } from './context.ts';

/** Bytes gathered before they are written: a call for each of a million lines would be most of the work. */
const GATHERED = 64 * 1024;

/** Writes each text as a line, waiting for the reader, so that a slow one does not fill the memory. */
export async function writeLines(output: Output, lines: AsyncIterable<string>): Promise<void> {
  let gathered = '';
  for await (const line of lines) {
    gathered += `${line}\n`;
    if (gathered.length >= GATHERED) {
      await output.writeBytes(Buffer.from(gathered));
      gathered = '';
    }
  }
  if (gathered !== '') await output.writeBytes(Buffer.from(gathered));
}
