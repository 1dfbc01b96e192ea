import { randomBytes } from 'node:crypto';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Address, type BackendSettings, parseAddress } from '@holdfast/engine';
import type { Sshd } from '../servers/sshd.ts';

export interface SftpPlaceForTest {
  readonly address: Address;
  readonly settings: BackendSettings;
  /** The same directory, as the server sees it. */
  readonly directory: string;
}

/** A place for a repository that is not there yet. */
export function placeOn(
  server: Sshd,
  options: Readonly<Record<string, string>> = {},
  below = server.files,
): SftpPlaceForTest {
  const directory = path.join(below, `r-${randomBytes(4).toString('hex')}`, 'repository');
  return {
    address: parseAddress(`sftp:holdfast-test:${directory}`),
    settings: {
      extended: new Map(
        Object.entries(
          'sftp.command' in options
            ? options
            : { 'sftp.args': `-F ${server.clientConfiguration}`, ...options },
        ),
      ),
      environment: {},
    },
    directory,
  };
}

/** What no list may show. */
export function addStrangers(directory: string): void {
  const id = 'ab'.repeat(32);
  for (const folder of ['', 'keys', 'locks', 'snapshots', 'index', 'data', 'data/00']) {
    const at = (name: string) => path.join(directory, folder, name);
    writeFileSync(at('README'), 'not ours');
    writeFileSync(at(`${id}-tmp-0123456789abcdef`), 'half');
    writeFileSync(at(`${id}-restic-temp-0123456789abcdef0123456789abcdef`), 'half, by restic');
    mkdirSync(at('cd'.repeat(32)));
  }
  writeFileSync(path.join(directory, 'data', id), 'misplaced');
  writeFileSync(path.join(directory, 'data', '00', id), 'misplaced');
  symlinkSync('/nowhere', path.join(directory, 'keys', 'ef'.repeat(32)));
}
