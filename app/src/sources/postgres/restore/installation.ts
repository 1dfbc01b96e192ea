import { access } from 'node:fs/promises';
import path from 'node:path';
import type { BaseRecord } from '../base/base-record.ts';

/** What a restored server needs of the machine besides the server itself. */
export interface ProgramNeeds {
  readonly extensions: readonly string[];
  /** As shared_preload_libraries has them. */
  readonly libraries: readonly string[];
}

/** What was recorded with a base; nothing of what its role could not see. */
export function needsOf({ databases, settings }: Pick<BaseRecord, 'databases' | 'settings'>): ProgramNeeds {
  const extensions = (databases ?? []).flatMap((database) => database.extensions ?? []);
  return {
    extensions: [...new Set(extensions.map(({ name }) => name))].sort(),
    libraries: libraryNames(settings['shared_preload_libraries'] ?? ''),
  };
}

/** A list of names as the server shows it: separated by commas, quoted where they hold one. */
export function libraryNames(list: string): string[] {
  return Array.from(list.matchAll(/"((?:[^"]|"")+)"|([^\s,"]+)/g), ([, quoted, plain = '']) =>
    quoted === undefined ? plain : quoted.replaceAll('""', '"'),
  );
}

/** Which of them the installation with this directory of programs does not have. */
export async function lackingIn(bin: string, { extensions, libraries }: ProgramNeeds): Promise<ProgramNeeds> {
  const { share, lib } = placesOf(bin);
  const without = async (names: readonly string[], folders: readonly string[], ending: string) => {
    const found = await Promise.all(names.map((name) => existsIn(folders, `${name}${ending}`)));
    return names.filter((_, at) => found[at] === false);
  };
  return {
    extensions: await without(
      extensions,
      share.map((folder) => path.join(folder, 'extension')),
      '.control',
    ),
    libraries: await without(libraries, lib, '.so'),
  };
}

/**
 * Where an installation keeps the rest, by where its programs are: below one prefix, except on Debian, where what is no
 * program lies below /usr/share.
 */
function placesOf(bin: string): { share: string[]; lib: string[] } {
  const prefix = path.dirname(bin);
  const debian = prefix.replace('/usr/lib/postgresql/', '/usr/share/postgresql/');
  return {
    share: [path.join(prefix, 'share/postgresql'), path.join(prefix, 'share'), debian],
    lib: [path.join(prefix, 'lib/postgresql'), path.join(prefix, 'lib')],
  };
}

async function existsIn(folders: readonly string[], name: string): Promise<boolean> {
  // A library may be named by its whole path, as by `$libdir`.
  const file = name.replace(/^\$libdir\//, '');
  for (const folder of folders) {
    const there = await access(path.resolve(folder, file)).then(
      () => true,
      () => false,
    );
    if (there) return true;
  }
  return false;
}
