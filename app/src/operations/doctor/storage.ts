import { Failure, isFailure, openBackend, parseAddress } from '@holdfast/engine';
import type { DiagnoseStorage } from '../../cli/commands/doctor/storage.ts';
import { storageDiagnosis } from '../../doctor/storage/diagnosis.ts';
import { examineStorage } from '../../doctor/storage/examination.ts';
import type { Machine } from '../machine.ts';

/** On the storage as it is: a retry would hide what it does wrong. */
export function diagnoseStorage({ clock }: Pick<Machine, 'clock'>): DiagnoseStorage {
  return async ({ location, settings }, { signal }) => {
    const backend = await openBackend(parseAddress(location), settings);
    try {
      return storageDiagnosis(await examineStorage(backend, { clock, signal }));
    } catch (error) {
      if (!isFailure(error, 'backend.not-found')) throw error;
      throw new Failure('repository.missing', `There is no repository in ${backend.location}.`, {
        subject: backend.location,
        hint: 'A storage is tried beside a repository: make one first with holdfast repo init.',
        cause: error,
      });
    } finally {
      await backend.close();
    }
  };
}
