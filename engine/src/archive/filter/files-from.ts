import { Failure } from '../../kernel/failure.ts';
import { type PathText, pathBytes } from './path-text.ts';
import { linesOf } from './text-file.ts';

/**
 * The patterns of `--files-from`, to be expanded with `expandGlob`: one a line, white space around it trimmed, empty
 * lines and those that begin with `#` left out.
 */
export function parseFilesFrom(bytes: Uint8Array): PathText[] {
  return linesOf(bytes)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

/** The paths of `--files-from-verbatim`: one a line as it stands, empty lines left out. */
export function parseFilesFromVerbatim(bytes: Uint8Array): Buffer[] {
  return linesOf(bytes)
    .filter((line) => line !== '')
    .map(pathBytes);
}

/**
 * The paths of `--files-from-raw`: any bytes, each path followed by NUL. A list that ends without one was cut short:
 * a `usage` failure, since to go on would silently leave something out.
 */
export function parseFilesFromRaw(bytes: Uint8Array): Buffer[] {
  const list = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const paths: Buffer[] = [];
  for (let start = 0; start < list.length; ) {
    const end = list.indexOf(0, start);
    if (end < 0) {
      throw new Failure('usage', 'The list of --files-from-raw ends in the middle of a path.', {
        hint: 'Every path is followed by a NUL, the last one too, as find -print0 writes it. Did its writer fail?',
      });
    }
    if (end === start) {
      throw new Failure('usage', `The list of --files-from-raw has an empty path at byte ${start}.`);
    }
    paths.push(Buffer.from(list.subarray(start, end)));
    start = end + 1;
  }
  return paths;
}
