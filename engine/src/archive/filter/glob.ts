import { Failure } from '../../kernel/failure.ts';
import { type ComponentTest, compileComponent, hasWildcard } from './component.ts';
import { type PathText, pathBytes, pathText } from './path-text.ts';

/** The little of a file system that expanding needs. Relative paths are relative to where the person stands. */
export interface Folders {
  /** The names in a directory, in any order; undefined where it is none or can't be read. */
  list(path: Buffer): readonly Buffer[] | undefined;
  /** Whether something is there; a symlink is not followed. */
  exists(path: Buffer): boolean;
}

/**
 * All paths that a pattern of `--files-from` stands for, in byte order (Go's `filepath.Glob`): each component as in
 * {@link compileComponent}; `**` is no more than `*`. A malformed pattern is a `usage` failure.
 */
export function expandGlob(pattern: PathText, folders: Folders): Buffer[] {
  const rooted = pattern.startsWith('/');
  const steps = pattern
    .split('/')
    .filter((component) => component !== '')
    .map((component) => compileStep(component, pattern));
  let found: Buffer[] = [Buffer.from(rooted ? '/' : '')];
  for (const step of steps) {
    found = found.flatMap((directory) => {
      if (typeof step === 'string') return [join(directory, pathBytes(step))];
      const names = folders.list(directory.length === 0 ? Buffer.from('.') : directory) ?? [];
      return names
        .filter((name) => step(pathText(name)))
        .toSorted(Buffer.compare)
        .map((name) => join(directory, name));
    });
  }
  return found.filter((path) => path.length > 0 && folders.exists(path));
}

function compileStep(component: string, pattern: string): string | ComponentTest {
  if (!hasWildcard(component)) return component;
  const test = compileComponent(component);
  if (test !== undefined) return test;
  throw new Failure('usage', `The pattern ${pattern} in the list of files is malformed.`, {
    subject: pattern,
    hint: 'Use --files-from-verbatim for a list of names in which nothing is to be expanded.',
  });
}

const SLASH = Buffer.from('/');

function join(directory: Buffer, name: Buffer): Buffer {
  if (directory.length === 0 || directory.equals(SLASH)) return Buffer.concat([directory, name]);
  return Buffer.concat([directory, SLASH, name]);
}
