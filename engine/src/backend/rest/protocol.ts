import type { FileType, Handle } from '../backend.ts';
import { requireName } from '../handle.ts';
import { folderOf } from '../layout.ts';

/*
 * restic's REST protocol (restic manual, "REST Backend"), below the URL of a repository:
 *
 *     POST ?create=true                 a new repository
 *     HEAD, GET, POST, DELETE config    the config
 *     GET data/                         a list: names in version 1, names and sizes in version 2, as Accept wants it
 *     HEAD, GET, POST, DELETE data/ID   a file; GET with Range. keys, locks, snapshots and index likewise
 *
 * Unlike in a directory, packs lie side by side. A name that is taken is answered with 403.
 */

/** A list as `["ID", …]`. */
export const LIST_V1 = 'application/vnd.x.restic.rest.v1';
/** A list as `[{"name": "ID", "size": 123}, …]`. */
export const LIST_V2 = 'application/vnd.x.restic.rest.v2';

/** Below the URL of a repository. Refuses a name that is no id: `internal`. */
export function restPathOf(handle: Handle): string {
  requireName(handle);
  return handle.type === 'config' ? 'config' : `${folderOf(handle.type)}/${handle.name}`;
}

export function restFolderOf(type: Exclude<FileType, 'config'>): string {
  return `${folderOf(type)}/`;
}
