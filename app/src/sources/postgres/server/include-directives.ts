import path from 'node:path';

/** What a configuration file brings in; `path` is absolute on the server. */
export interface Included {
  readonly kind: 'file' | 'directory';
  readonly path: string;
}

/**
 * The include directives of postgresql.conf, and of pg_hba.conf and pg_ident.conf from 16 on (the manual, "File Inclusion"),
 * and the lists of names that pg_hba.conf has as `@file`. A relative path starts where the file itself lies.
 */
export function includesOf(file: string, text: string): Included[] {
  const resolved = (name: string) => path.posix.resolve(path.posix.dirname(file), unquoted(name));
  const found: Included[] = [];
  for (const line of text.split(/\r?\n/)) {
    const [, directive, name] = DIRECTIVE.exec(line) ?? [];
    if (directive !== undefined && name !== undefined) {
      const kind = directive.toLowerCase() === 'include_dir' ? 'directory' : 'file';
      found.push({ kind, path: resolved(name) });
    } else if (RECORD.test(line)) {
      for (const [, list = ''] of withoutComment(line).matchAll(NAME_LIST)) {
        found.push({ kind: 'file', path: resolved(list) });
      }
    }
  }
  return found;
}

/** Which entries of an included directory count. */
export function isIncludedName(name: string): boolean {
  return name.endsWith('.conf') && !name.startsWith('.');
}

const NAME = `'(?:[^']|'')*'|"[^"]*"|[^\\s#'"]+`;
const DIRECTIVE = new RegExp(`^\\s*(include|include_if_exists|include_dir)(?:\\s*=\\s*|\\s+)(${NAME})`, 'i');
/** A line of pg_hba.conf: only there is an @ the beginning of a file's name. */
const RECORD = /^\s*(?:local|host|hostssl|hostnossl|hostgssenc|hostnogssenc)\s/;
const NAME_LIST = /(?<=[\s,])@("[^"]+"|[^\s,"]+)/g;

function withoutComment(line: string): string {
  return line.replace(/#.*$/, '');
}

function unquoted(name: string): string {
  if (name.startsWith("'")) return name.slice(1, -1).replaceAll("''", "'");
  return name.startsWith('"') ? name.slice(1, -1) : name;
}
