import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  parseDocument,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import type { Extent, Located } from './located.ts';

/** What keeps a text from being a document at all; offsets in it. */
export interface TextProblem {
  readonly extent: Extent;
  readonly message: string;
  readonly suggestion?: string;
}

/** A policy of thousands of sources has some hundred kilobytes. */
const MOST_CHARACTERS = 1024 * 1024;
/** Aliases counted as often as they are used, so that a few lines cannot unfold to gigabytes. */
const MOST_VALUES = 200_000;
const DEEPEST = 64;

/**
 * Reads YAML 1.2 in its core schema: no tags, no merge keys, one document, a key once. The library's own sentences are
 * never passed on, since they repeat what is written there.
 */
export function readYaml(text: string): { readonly root: Located } | { readonly problems: TextProblem[] } {
  if (text.length > MOST_CHARACTERS) {
    return { problems: [{ extent: [0, 0], message: 'the file is larger than 1 MiB: this is no policy' }] };
  }
  const document = compose(text);
  if (document === undefined) return { problems: [{ extent: [0, 0], message: TOO_DEEP }] };
  const [error] = document.errors;
  // What a reader that has lost its place says next is noise.
  if (error !== undefined) return { problems: [syntaxProblem(error.code, error.pos, text)] };
  const problems: TextProblem[] = [];
  if (document.directives.yaml.version !== '1.2') {
    problems.push({ extent: [0, 0], message: 'only YAML 1.2 is understood', suggestion: 'leave %YAML out' });
  }
  const root = new Reader(problems).read(document.contents);
  return problems.length > 0 ? { problems } : { root };
}

/** Undefined when it is nested so deeply that the library runs out of stack. */
function compose(text: string): Document.Parsed | undefined {
  try {
    // Keys are compared below: the library's own way takes the square of their number.
    return parseDocument(text, {
      version: '1.2',
      schema: 'core',
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: 'error',
    });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

class Reader {
  readonly #problems: TextProblem[];
  /** As far as they were read: an alias means the last one above it. */
  readonly #anchors = new Map<string, Node>();
  #values = 0;

  constructor(problems: TextProblem[]) {
    this.#problems = problems;
  }

  read(node: Node | null, depth = 0, key?: Extent): Located {
    const extent = extentOf(node) ?? (key === undefined ? [0, 0] : [key[1], key[1]]);
    const written = { extent, ...(key === undefined ? {} : { key }) };
    const empty = { ...written, value: null, parts: new Map() };
    this.#values += 1;
    if (this.#values > MOST_VALUES || depth > DEEPEST) {
      if (this.#values <= MOST_VALUES + 1 || depth === DEEPEST + 1) this.#refuse(extent, TOO_DEEP);
      return empty;
    }
    if (isAlias(node)) {
      const target = this.#anchors.get(node.source);
      if (target === undefined)
        this.#refuse(extent, 'this refers to an anchor (&…) that is not above it', QUOTES);
      return target === undefined ? empty : { ...this.read(target, depth + 1), ...written };
    }
    if (node?.anchor !== undefined) this.#anchors.set(node.anchor, node);
    if (isTagged(node)) {
      this.#refuse(extent, 'tags (!…) are not understood', QUOTES);
      return empty;
    }
    if (isMap(node)) return { ...written, ...this.#readMap(node, depth) };
    if (isSeq(node)) return { ...written, ...this.#readList(node, depth) };
    return { ...empty, value: isScalar(node) ? node.value : null };
  }

  #readMap(map: YAMLMap, depth: number): Pick<Located, 'value' | 'parts'> {
    const parts = new Map<string | number, Located>();
    for (const { key, value } of map.items) {
      const extent = extentOf(key as Node | null) ?? extentOf(map) ?? [0, 0];
      const name = isScalar(key) ? keyText(key) : undefined;
      if (name === undefined || name === '__proto__') {
        this.#refuse(extent, 'a key is a plain word');
      } else if (name === '<<') {
        this.#refuse(extent, 'merge keys (<<) are not part of YAML 1.2', 'write out what is meant');
      } else if (parts.has(name)) {
        this.#refuse(extent, 'this key stands here a second time', 'leave one of them out');
      } else {
        parts.set(name, this.read(value as Node | null, depth + 1, extent));
      }
    }
    return { parts, value: Object.fromEntries([...parts].map(([name, part]) => [name, part.value])) };
  }

  #readList(list: YAMLSeq, depth: number): Pick<Located, 'value' | 'parts'> {
    const items = list.items.map((item) => this.read(item as Node | null, depth + 1));
    return { parts: new Map(items.entries()), value: items.map(({ value }) => value) };
  }

  #refuse(extent: Extent, message: string, suggestion?: string): void {
    this.#problems.push({ extent, message, ...(suggestion === undefined ? {} : { suggestion }) });
  }
}

function keyText({ value, source }: Scalar): string | undefined {
  return typeof value === 'string' ? value : source;
}

function extentOf(node: Node | null): Extent | undefined {
  return node?.range ? [node.range[0], node.range[1]] : undefined;
}

function isTagged(node: Node | null): boolean {
  return node !== null && 'tag' in node && node.tag !== undefined;
}

const TOO_DEEP = 'too much is nested or repeated here: this is no policy';
const QUOTES = 'put it in quotes if it is a text';

const SYNTAX: Readonly<Record<string, readonly [message: string, suggestion?: string]>> = {
  BAD_ALIAS: ['this is no name of an anchor', QUOTES],
  BAD_INDENT: ['this line is indented differently from those that it belongs to'],
  BAD_SCALAR_START: ['a text cannot begin with this character', QUOTES],
  BLOCK_AS_IMPLICIT_KEY: ['there is a second “: ” in this line', QUOTES],
  BLOCK_IN_FLOW: ['lines of their own cannot stand inside { } or [ ]'],
  COMMENT_SPACE: ['a comment needs a space before its #'],
  MISSING_CHAR: ['something that was opened is not closed: a quote, a bracket or a comma is missing'],
  MULTIPLE_DOCS: ['there is a second document (---): a policy is one'],
  MULTILINE_IMPLICIT_KEY: ['a key stands on one line; is a “:” missing?'],
  TAB_AS_INDENT: ['a tab cannot indent', 'use spaces'],
};

function syntaxProblem(code: string, [from, to]: Extent, text: string): TextProblem {
  if (text[from] === '*') {
    return {
      extent: [from, to],
      message: 'a “*” at the beginning has a meaning of its own in YAML',
      suggestion: 'put a cron expression in quotes',
    };
  }
  const [message, suggestion] = SYNTAX[code] ?? ['this is no YAML'];
  return { extent: [from, to], message, ...(suggestion === undefined ? {} : { suggestion }) };
}
