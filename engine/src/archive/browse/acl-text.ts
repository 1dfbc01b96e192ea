/*
 * The value of system.posix_acl_access and _default: a version, then the entries, all little-endian.
 *
 *   version (4, = 2)   { tag (2)   permissions (2)   id (4) } …
 */

const VERSION = 2;
const HEADER_BYTES = 4;
const ENTRY_BYTES = 8;

const TAGS: ReadonlyMap<number, { readonly word: string; readonly named: boolean }> = new Map([
  [0x01, { word: 'user', named: false }],
  [0x02, { word: 'user', named: true }],
  [0x04, { word: 'group', named: false }],
  [0x08, { word: 'group', named: true }],
  [0x10, { word: 'mask', named: false }],
  [0x20, { word: 'other', named: false }],
]);

/**
 * An ACL in the form that tar programs exchange, with numbers for accounts: `user::rw-,user:1000:r--,…`; undefined for
 * what is none.
 */
export function aclText(value: Buffer): string | undefined {
  const entries = (value.length - HEADER_BYTES) / ENTRY_BYTES;
  if (entries < 0 || !Number.isInteger(entries) || value.readUInt32LE(0) !== VERSION) return undefined;
  const parts: string[] = [];
  for (let at = HEADER_BYTES; at < value.length; at += ENTRY_BYTES) {
    const tag = TAGS.get(value.readUInt16LE(at));
    if (tag === undefined) return undefined;
    const permissions = value.readUInt16LE(at + 2);
    const letters = [...'rwx'].map((letter, bit) => ((permissions >> (2 - bit)) & 1 ? letter : '-')).join('');
    parts.push(`${tag.word}:${tag.named ? value.readUInt32LE(at + 4) : ''}:${letters}`);
  }
  return parts.join(',');
}
