import { Failure } from '@holdfast/engine';
import type { Command } from 'commander';
import type { Diagnosis } from '../../../doctor/check.ts';
import { newCommand, present, type Work, withProgress } from '../../command-frame.ts';
import type { Context } from '../../context.ts';
import { formatCounted } from '../../format.ts';
import { addGlobalOptions } from '../../global-options.ts';
import { diagnosisRecords, renderDiagnosis } from '../../render/diagnosis.ts';
import {
  addPlaceOptions,
  type RepositoryFlags,
  type RepositoryPlace,
  resolvePlace,
} from '../../repository-options.ts';
import { addStorageOptions } from '../../storage-options.ts';

export type DiagnoseStorage = (place: RepositoryPlace, work: Work) => Promise<Diagnosis>;

export function define(parent: Command, context: Context, diagnoseStorage: DiagnoseStorage): void {
  const command = newCommand(parent, {
    usage: 'storage',
    summary: 'try what the storage of a repository can do, and how fast',
    description:
      'Saves, reads, lists and removes small files of its own beside those of a repository and says whether the storage ' +
      'keeps what backups rely on. What is in the repository is not touched; nothing stays, except where nothing can be ' +
      'removed. Needs no password.',
    examples: [['holdfast doctor storage --repo s3:https://minio.internal/backup', 'before it is relied on']],
  });
  addStorageOptions(addPlaceOptions(command));
  addGlobalOptions(command).action(async () => {
    const place = await resolvePlace(command.opts<RepositoryFlags>(), context);
    const diagnosis = await withProgress(command, context, (work) => diagnoseStorage(place, work));
    const view = { lines: renderDiagnosis.bind(null, diagnosis), records: () => diagnosisRecords(diagnosis) };
    present(command, context, view, 'answer');
    const errors = diagnosis.advice.filter(({ severity }) => severity === 'error').length;
    if (errors > 0) {
      throw new Failure('backend.io', `${formatCounted(errors, 'promise')} of a storage are not kept`, {
        subject: diagnosis.subject,
        hint: 'Do not rely on it before what is printed above has been mended.',
      });
    }
  });
}
