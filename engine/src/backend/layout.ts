import { isId } from '../kernel/id.ts';
import type { FileType, Handle } from './backend.ts';
import { requireName } from './handle.ts';

/**
 * restic's default layout (restic design, "Repository Layout"), as paths below the repository with `/` between:
 *
 *     config    keys/<id>    locks/<id>    snapshots/<id>    index/<id>    data/<first two digits>/<id>
 */
const DIRECTORIES: Record<Exclude<FileType, 'config'>, string> = {
  key: 'keys',
  lock: 'locks',
  snapshot: 'snapshots',
  index: 'index',
  pack: 'data',
};

const PACK_DIRECTORIES = Array.from(
  { length: 256 },
  (_, byte) => `data/${byte.toString(16).padStart(2, '0')}`,
);

/** What a new repository consists of before its first file, parents before children; the repository itself is `''`. */
export const NEW_DIRECTORIES: readonly string[] = ['', ...Object.values(DIRECTORIES), ...PACK_DIRECTORIES];

/** The folder that all files of a type lie below: `data`. */
export function folderOf(type: Exclude<FileType, 'config'>): string {
  return DIRECTORIES[type];
}

/** The directory a file belongs in; `''` is the repository itself. Refuses a name that is no id: `internal`. */
export function directoryOf(handle: Handle): string {
  requireName(handle);
  if (handle.type === 'config') return '';
  if (handle.type === 'pack') return `data/${handle.name.slice(0, 2)}`;
  return DIRECTORIES[handle.type];
}

/** A file's path. Refuses a name that is no id: `internal`. */
export function pathOf(handle: Handle): string {
  const directory = directoryOf(handle);
  return handle.type === 'config' ? 'config' : `${directory}/${handle.name}`;
}

/** All directories that files of a type lie in. */
export function directoriesOf(type: FileType): readonly string[] {
  if (type === 'config') return [''];
  return type === 'pack' ? PACK_DIRECTORIES : [DIRECTORIES[type]];
}

/** Whether `name` in `directory` is a file of this type, rather than a stranger, a temporary or a misplaced one. */
export function belongsIn(type: FileType, directory: string, name: string): boolean {
  if (type === 'config') return directory === '' && name === 'config';
  return isId(name) && directoryOf({ type, name }) === directory;
}
