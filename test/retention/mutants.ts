import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type Module, parseSync, transformSync } from '@swc/core';
import * as occurrence from '../../app/src/schedule/occurrence.ts';

/** A file with one small mistake in it. */
export interface Mutant {
  readonly file: string;
  readonly line: number;
  /** What a reader would see: `now < endOf(point) → now <= endOf(point)`, the line before and after. */
  readonly change: string;
  readonly source: string;
}

/** Files by name, as they are written. */
export type Sources = ReadonlyMap<string, string>;

export function sourcesIn(directory: string): Sources {
  const names = readdirSync(directory).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
  return new Map(names.map((name) => [name, readFileSync(path.join(directory, name), 'utf8')]));
}

const OPERATORS: Readonly<Record<string, readonly string[]>> = {
  '<': ['<=', '>'],
  '<=': ['<'],
  '>': ['>=', '<'],
  '>=': ['>'],
  '===': ['!=='],
  '!==': ['==='],
  '+': ['-'],
  '-': ['+'],
  '&&': ['||'],
  '||': ['&&'],
};

/** Each operator once for another one, each `!` left out, each number one more and one less: all of them. */
export function mutantsOf(sources: Sources): Mutant[] {
  return [...sources].flatMap(([file, source]) =>
    replacements(source).map(({ start, end, text }) => {
      const mutated = source.slice(0, start) + text + source.slice(end);
      const line = source.slice(0, start).split('\n').length;
      const shown = (one: string) => one.split('\n')[line - 1]?.trim() ?? '';
      return { file, line, change: `${shown(source)} → ${shown(mutated)}`, source: mutated };
    }),
  );
}

interface Replacement {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

interface SyntaxNode {
  readonly type: string;
  readonly span: { readonly start: number; readonly end: number };
  readonly operator?: string;
  readonly value?: unknown;
  readonly left?: SyntaxNode;
  readonly right?: SyntaxNode;
}

function replacements(source: string): Replacement[] {
  // swc counts bytes, and from where the file before it ended: the first statement is one whose place is known.
  const bytes = Buffer.from(`;${source}`);
  const module: Module = parseSync(bytes.toString(), { syntax: 'typescript' });
  const offset = module.body[0]?.span.start ?? 0;
  const found: Replacement[] = [];
  visit(module);
  return found;

  function visit(node: unknown): void {
    if (Array.isArray(node)) node.forEach(visit);
    if (typeof node !== 'object' || node === null || Array.isArray(node)) return;
    if (isSyntax(node)) {
      if (node.type.startsWith('Ts') || node.type === 'ImportDeclaration') return;
      mutate(node);
    }
    for (const child of Object.values(node)) visit(child);
  }

  /** Of a byte, in characters and without the first statement. */
  function placeOf(position: number): number {
    return bytes.subarray(0, position - offset).toString().length - 1;
  }

  function mutate({ type, span, operator = '', value, left, right }: SyntaxNode): void {
    const start = placeOf(span.start);
    const end = placeOf(span.end);
    if (type === 'BinaryExpression' && left !== undefined && right !== undefined) {
      const at = source.indexOf(operator, placeOf(left.span.end));
      for (const text of OPERATORS[operator] ?? [])
        found.push({ start: at, end: at + operator.length, text });
    }
    if (type === 'UnaryExpression' && operator === '!') found.push({ start, end: start + 1, text: '' });
    if (type === 'NumericLiteral') {
      for (const other of [Number(value) + 1, Number(value) - 1])
        found.push({ start, end, text: `(${other})` });
    }
  }
}

function isSyntax(node: object): node is SyntaxNode {
  return 'type' in node && typeof node.type === 'string' && 'span' in node;
}

/** Compiles each file once; mutants differ in one. */
export function compile(source: string): string {
  const { code } = transformSync(source, {
    jsc: { parser: { syntax: 'typescript' }, target: 'es2024' },
    module: { type: 'commonjs' },
  });
  return code;
}

/** The exports of `entry`, put together from compiled files in this process. */
export function load(compiled: ReadonlyMap<string, string>, entry: string): Record<string, unknown> {
  const loaded = new Map<string, Record<string, unknown>>();
  return need(`./${entry}`);

  function need(specifier: string): Record<string, unknown> {
    if (specifier === '../schedule/occurrence.ts') return occurrence;
    const name = path.basename(specifier);
    const known = loaded.get(name);
    if (known !== undefined) return known;
    const code = compiled.get(name);
    if (code === undefined) throw new Error(`retention is not alone: it asks for ${specifier}`);
    const exported: Record<string, unknown> = {};
    loaded.set(name, exported);
    new Function('require', 'exports', code)(need, exported);
    return exported;
  }
}
