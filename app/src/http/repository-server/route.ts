import { type FileType, type Handle, isId } from '@holdfast/engine';

/** What a request is about. `repository` are the folders below the served path; empty is the path itself. */
export type Route = { readonly repository: readonly string[] } & (
  | { readonly kind: 'repository'; readonly create: boolean }
  | { readonly kind: 'list'; readonly type: Exclude<FileType, 'config'> }
  | { readonly kind: 'file'; readonly handle: Handle }
);

const TYPES: Readonly<Record<string, Exclude<FileType, 'config'>>> = {
  data: 'pack',
  keys: 'key',
  locks: 'lock',
  snapshots: 'snapshot',
  index: 'index',
};

/**
 * Reads the target of a request as it came, and answers undefined for what no repository could have: this is what keeps
 * everybody below the served path. Each part is decoded once, then compared with what is allowed; so `..`, `%2e%2e`,
 * `..%2f`, `%00`, a backslash or an empty part never become a part of a path on the disk.
 */
export function parseRoute(target: string): Route | undefined {
  const [path = '', query = ''] = target.split('?', 2);
  if (!path.startsWith('/') || path.length > LONGEST_PATH) return undefined;
  const parts = path.slice(1).split('/').map(decoded);
  if (parts.includes(undefined)) return undefined;
  const route = routeOf(parts as string[], new URLSearchParams(query).get('create') === 'true');
  return route !== undefined && isRepository(route.repository) ? route : undefined;
}

function routeOf(parts: readonly string[], create: boolean): Route | undefined {
  const [last = '', before = ''] = parts.toReversed();
  if (last === 'config') return { kind: 'file', repository: parts.slice(0, -1), handle: CONFIG };
  const type = Object.hasOwn(TYPES, before) ? TYPES[before] : undefined;
  if (type !== undefined) {
    const repository = parts.slice(0, -2);
    if (last === '') return { kind: 'list', repository, type };
    return isId(last) ? { kind: 'file', repository, handle: { type, name: last } } : undefined;
  }
  return { kind: 'repository', repository: last === '' ? parts.slice(0, -1) : parts, create };
}

/** A folder that is named like a part of a repository would lie inside of one. */
function isRepository(parts: readonly string[]): boolean {
  return (
    parts.length <= DEEPEST &&
    parts.every((part) => FOLDER.test(part) && !Object.hasOwn(TYPES, part) && part !== 'config')
  );
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

const CONFIG: Handle = { type: 'config', name: 'config' };
/** Letters and digits of any script; a dot never comes first. */
const FOLDER = /^[\p{L}\p{N}_@][\p{L}\p{N}\p{M}_@.+-]{0,99}$/u;
const LONGEST_PATH = 2000;
const DEEPEST = 8;
