/**
 * Paths and names as byte strings: one character a byte (latin1). They sort as bytes, hold any name that Linux allows,
 * and cost what a string costs. Node takes them as they are while they are ASCII, as a Buffer otherwise.
 */
export type BytePath = string;

export function toSystemPath(path: BytePath): string | Buffer {
  return isAscii(path) ? path : Buffer.from(path, 'latin1');
}

export function toBytes(path: BytePath): Buffer {
  return Buffer.from(path, 'latin1');
}

/** As text for people: UTF-8 where it is, with the replacement character elsewhere. */
export function toText(path: BytePath): string {
  return isAscii(path) ? path : Buffer.from(path, 'latin1').toString('utf8');
}

export function fromText(path: string): BytePath {
  return isAscii(path) ? path : Buffer.from(path, 'utf8').toString('latin1');
}

export function joinPath(directory: BytePath, name: BytePath): BytePath {
  return directory.endsWith('/') ? `${directory}${name}` : `${directory}/${name}`;
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) if (text.charCodeAt(index) > 0x7e) return false;
  return true;
}
