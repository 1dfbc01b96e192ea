import { isFailure } from '../kernel/failure.ts';
import { decodeIndexFile } from './index-file.ts';
import { SEAL_OVERHEAD } from './sealing.ts';

/** What an index file of the usual form says, as numbers: ten million blobs are to cost no ten million objects. */
export interface ScannedIndex {
  /** The ids of its packs in use, 32 bytes each, in the file's order. */
  readonly packs: Uint8Array<ArrayBuffer>;
  /** Their blobs, `RECORD_WORDS` words each. */
  readonly records: Uint32Array<ArrayBuffer>;
  /** The JSON of an index file that has its marked packs and nothing else; undefined when there are none. */
  readonly marks: Uint8Array<ArrayBuffer> | undefined;
}

/*
 * A record, in words of 32 bits; the id's bytes lie in memory as they are:
 *
 *   ┌───────────────┬──────────────────────────────────────────┬────────┬────────┬──────────────┐
 *   │ id (8 words)  │ tree? (1 bit) position of pack (31 bits) │ offset │ length │ uncompressed │
 *   └───────────────┴──────────────────────────────────────────┴────────┴────────┴──────────────┘
 */
export const RECORD_WORDS = 12;
export const RECORD_PLACE = 8;
export const RECORD_TREE = 0x80000000;

/**
 * Reads the JSON of an index file byte by byte, when it has exactly the form in which restic, rustic and we write it:
 * these fields in this order, without white space. Undefined for everything else, damage included: what that is,
 * `decodeIndexFile` says, which accepts all that this does and says the same of it.
 */
export function scanIndexFile(json: Uint8Array): ScannedIndex | undefined {
  return new Scan(json).run();
}

class Scan {
  readonly #json: Uint8Array;
  #at = 0;
  readonly #packs: Uint8Array<ArrayBuffer>;
  readonly #records: Uint32Array<ArrayBuffer>;
  #packCount = 0;
  #recordCount = 0;

  constructor(json: Uint8Array) {
    this.#json = json;
    this.#packs = new Uint8Array((Math.floor(json.length / SHORTEST_PACK) + 1) * 32);
    this.#records = new Uint32Array((Math.floor(json.length / SHORTEST_BLOB) + 1) * RECORD_WORDS);
  }

  run(): ScannedIndex | undefined {
    if (!this.#literal(BEGINNING) || !this.#list(() => this.#pack())) return undefined;
    const marks = this.#rest();
    if (marks === undefined) return undefined;
    return {
      packs: this.#packs.slice(0, this.#packCount * 32),
      records: this.#records.subarray(0, this.#recordCount * RECORD_WORDS),
      marks: marks.length === 0 ? undefined : marks,
    };
  }

  /** The marked packs, as JSON; empty when the file ends here. Undefined when it goes on in another way. */
  #rest(): Uint8Array<ArrayBuffer> | undefined {
    if (this.#literal(END)) {
      this.#literal(NEWLINE);
      return this.#at === this.#json.length ? new Uint8Array(0) : undefined;
    }
    if (!this.#literal(COMMA)) return undefined;
    const rest = Buffer.from(this.#json.subarray(this.#at));
    // Packs once more, whatever way they are spelled: of two fields of one name the last one counts.
    if (!rest.subarray(0, MARKS.length).equals(MARKS) || rest.includes('"packs"') || rest.includes('\\'))
      return undefined;
    const marks = new Uint8Array(rest.length + 1);
    marks[0] = OPENING_BRACE;
    marks.set(rest, 1);
    try {
      return decodeIndexFile(marks).supersedes.length === 0 ? marks : undefined;
    } catch (error) {
      if (isFailure(error, 'repository.damaged')) return undefined;
      throw error;
    }
  }

  /** The rest of a list whose opening bracket was read. */
  #list(item: () => boolean): boolean {
    if (this.#literal(LIST_END)) return true;
    do {
      if (!item()) return false;
    } while (this.#literal(COMMA));
    return this.#literal(LIST_END);
  }

  #pack(): boolean {
    if (!this.#literal(ID)) return false;
    for (let byte = 0; byte < 32; byte += 1) {
      const value = this.#hexByte();
      if (value < 0) return false;
      this.#packs[this.#packCount * 32 + byte] = value;
    }
    if (!this.#literal(BLOBS)) return false;
    this.#packCount += 1;
    return this.#list(() => this.#blob()) && this.#literal(END);
  }

  #blob(): boolean {
    if (!this.#literal(ID)) return false;
    const records = this.#records;
    const at = this.#recordCount * RECORD_WORDS;
    for (let word = at; word < at + RECORD_PLACE; word += 1) {
      const a = this.#hexByte();
      const b = this.#hexByte();
      const c = this.#hexByte();
      const d = this.#hexByte();
      if ((a | b | c | d) < 0) return false;
      records[word] = a | (b << 8) | (c << 16) | (d << 24);
    }
    const isTree = this.#literal(TREE_TYPE);
    if (!isTree && !this.#literal(DATA_TYPE)) return false;
    const offset = this.#number();
    if (offset < 0 || !this.#literal(LENGTH)) return false;
    const length = this.#number();
    if (length < SEAL_OVERHEAD) return false;
    const uncompressed = this.#literal(UNCOMPRESSED) ? this.#number() : 0;
    if (uncompressed < 0 || !this.#literal(END)) return false;
    records[at + RECORD_PLACE] = (isTree ? RECORD_TREE : 0) + this.#packCount - 1;
    records[at + RECORD_PLACE + 1] = offset;
    records[at + RECORD_PLACE + 2] = length;
    records[at + RECORD_PLACE + 3] = uncompressed;
    this.#recordCount += 1;
    return true;
  }

  /** Whether `text` is next; it is behind us then. */
  #literal(text: Uint8Array): boolean {
    const json = this.#json;
    const at = this.#at;
    for (let offset = 0; offset < text.length; offset += 1) {
      if (json[at + offset] !== text[offset]) return false;
    }
    this.#at = at + text.length;
    return true;
  }

  /** Below 0 when the next two bytes are no lower-case hexadecimal digits. */
  #hexByte(): number {
    const json = this.#json;
    const at = this.#at;
    this.#at = at + 2;
    const high = HEX_DIGITS[json[at] ?? 0] as number;
    const low = HEX_DIGITS[json[at + 1] ?? 0] as number;
    return (high << 4) | low;
  }

  /** Of 32 bits at the most, without sign, fraction or leading zero; -1 otherwise. */
  #number(): number {
    const json = this.#json;
    const from = this.#at;
    let at = from;
    let value = 0;
    for (; at - from < MOST_DIGITS; at += 1) {
      const digit = (json[at] ?? 0) - ZERO;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    this.#at = at;
    if (at === from || value > 0xffff_ffff || (json[from] === ZERO && at > from + 1)) return -1;
    return value;
  }
}

const BEGINNING = Buffer.from('{"packs":[');
const ID = Buffer.from('{"id":"');
const BLOBS = Buffer.from('","blobs":[');
const DATA_TYPE = Buffer.from('","type":"data","offset":');
const TREE_TYPE = Buffer.from('","type":"tree","offset":');
const LENGTH = Buffer.from(',"length":');
const UNCOMPRESSED = Buffer.from(',"uncompressed_length":');
const COMMA = Buffer.from(',');
const END = Buffer.from('}');
const LIST_END = Buffer.from(']');
const NEWLINE = Buffer.from('\n');
const MARKS = Buffer.from('"packs_to_delete":[');
const OPENING_BRACE = 0x7b;
const ZERO = 0x30;
const MOST_DIGITS = 10;
/** `{"id":"…","blobs":[]}` and `{"id":"…","type":"data","offset":0,"length":32}`, in bytes. */
const SHORTEST_PACK = 84;
const SHORTEST_BLOB = 110;

const HEX_DIGITS = new Int8Array(256).fill(-1);
for (let digit = 0; digit < 16; digit += 1) HEX_DIGITS[digit.toString(16).charCodeAt(0)] = digit;
