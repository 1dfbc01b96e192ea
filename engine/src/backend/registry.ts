import { Failure } from '../kernel/failure.ts';
import type { Address } from './address.ts';
import type { Backend } from './backend.ts';
import { createLocal, openLocal } from './local/local.ts';
import { parseRestAddress } from './rest/address.ts';
import { restOptions } from './rest/options.ts';
import { createRest, openRest } from './rest/rest.ts';
import { parseS3Address } from './s3/address.ts';
import { s3Options } from './s3/options.ts';
import { createS3, openS3 } from './s3/s3.ts';
import { type BackendSettings, NO_SETTINGS } from './settings.ts';
import { parseSftpAddress } from './sftp/address.ts';
import { sftpOptions } from './sftp/options.ts';
import { createSftp, openSftp } from './sftp/sftp.ts';

/** Opens the place at an address. `repository.unsupported` for a kind that this version cannot open. */
export async function openBackend(
  address: Address,
  settings: BackendSettings = NO_SETTINGS,
): Promise<Backend> {
  switch (address.scheme) {
    case 'local':
      return await openLocal({ path: address.path });
    case 's3':
      return await openS3(s3Options(parseS3Address(address.rest), settings));
    case 'sftp':
      return await openSftp(sftpOptions(parseSftpAddress(address.rest), settings));
    case 'rest':
      return openRest(restOptions(parseRestAddress(address.rest), settings));
    default:
      throw unsupported(address.scheme);
  }
}

/** Prepares the place at an address for a new repository and opens it; `backend.exists` when there is one already. */
export async function createBackend(
  address: Address,
  settings: BackendSettings = NO_SETTINGS,
): Promise<Backend> {
  switch (address.scheme) {
    case 'local':
      return await createLocal({ path: address.path });
    case 's3':
      return await createS3(s3Options(parseS3Address(address.rest), settings));
    case 'sftp':
      return await createSftp(sftpOptions(parseSftpAddress(address.rest), settings));
    case 'rest':
      return await createRest(restOptions(parseRestAddress(address.rest), settings));
    default:
      throw unsupported(address.scheme);
  }
}

function unsupported(scheme: string): Failure {
  return new Failure('repository.unsupported', `This version cannot open ${scheme}: repositories.`, {
    subject: `${scheme}:`,
    hint: 'It knows directories (/srv/backup), s3:https://host/bucket/folder, sftp:user@host:/folder and rest:https://host/folder/.',
  });
}
