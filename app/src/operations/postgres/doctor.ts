import type { DiagnosePostgres } from '../../cli/commands/doctor/postgres.ts';
import { diagnose } from '../../doctor/check.ts';
import { postgresChecks } from '../../sources/postgres/server/doctor.ts';
import { examineServer } from '../../sources/postgres/server/server-health.ts';
import { type ServerMachine, serverOf } from './server.ts';

export function diagnosePostgres(machine: ServerMachine): DiagnosePostgres {
  return async (request, work) => {
    const health = await examineServer(await serverOf(request, machine), work.signal);
    return diagnose(health.server, postgresChecks, health);
  };
}
