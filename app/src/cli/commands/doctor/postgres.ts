import { Failure } from '@holdfast/engine';
import type { Command } from 'commander';
import type { Diagnosis } from '../../../doctor/check.ts';
import { newCommand, present, type Work, withProgress } from '../../command-frame.ts';
import type { Context } from '../../context.ts';
import { formatCounted } from '../../format.ts';
import { addGlobalOptions } from '../../global-options.ts';
import { diagnosisRecords, renderDiagnosis } from '../../render/diagnosis.ts';
import { addServerOptions, type ServerOptions } from '../../server-options.ts';

export interface DoctorRequest extends ServerOptions {
  readonly spool?: string;
}

export type DiagnosePostgres = (request: DoctorRequest, work: Work) => Promise<Diagnosis>;

export function define(parent: Command, context: Context, diagnosePostgres: DiagnosePostgres): void {
  const command = newCommand(parent, {
    usage: 'postgres',
    summary: 'say what a PostgreSQL server lacks for backups, and print the SQL',
    description:
      'Looks whether a server can be backed up with this role and prints what to paste where it cannot. Changes nothing. ' +
      'Ends with 0 unless something keeps backups from being taken.',
    examples: [['holdfast doctor postgres --url postgres://backup@db-1/postgres', 'look at one server']],
  });
  addServerOptions(command)
    .optionsGroup('This machine:')
    .option('--spool <dir>', 'where a journal keeps WAL (default: below ~/.local/state)');
  addGlobalOptions(command).action(async () => {
    const request = command.opts<DoctorRequest>();
    const diagnosis = await withProgress(command, context, (work) => diagnosePostgres(request, work));
    const view = { lines: renderDiagnosis.bind(null, diagnosis), records: () => diagnosisRecords(diagnosis) };
    present(command, context, view, 'answer');
    const errors = diagnosis.advice.filter(({ severity }) => severity === 'error').length;
    if (errors > 0) {
      throw new Failure(
        'source.privilege',
        `${formatCounted(errors, 'thing')} must change before backups can be taken`,
        {
          subject: diagnosis.subject,
          hint: 'What to paste where is printed above.',
        },
      );
    }
  });
}
