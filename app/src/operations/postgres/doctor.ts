import { constants } from 'node:fs';
import { access, statfs } from 'node:fs/promises';
import path from 'node:path';
import type { DiagnosePostgres } from '../../cli/commands/doctor/postgres.ts';
import { diagnose } from '../../doctor/check.ts';
import { postgresChecks } from '../../sources/postgres/server/doctor.ts';
import type { SpoolSpace } from '../../sources/postgres/server/health-facts.ts';
import { examineServer } from '../../sources/postgres/server/server-health.ts';
import type { Machine } from '../machine.ts';
import { type ServerMachine, serverOf } from './server.ts';
import { spoolRoot } from './spool-root.ts';

export function diagnosePostgres(
  machine: ServerMachine & Pick<Machine, 'clock' | 'workingDirectory'>,
): DiagnosePostgres {
  return async (request, work) => {
    const health = await examineServer(await serverOf(request, machine), work.signal, machine.clock);
    const directory = path.resolve(machine.workingDirectory, request.spool ?? spoolRoot(machine));
    return diagnose(health.server, postgresChecks, { ...health, spool: await spoolSpace(directory) });
  };
}

/** Of a directory that is still to be made, its nearest that is there counts. */
async function spoolSpace(directory: string): Promise<SpoolSpace> {
  for (let place = directory; ; place = path.dirname(place)) {
    try {
      await access(place, constants.W_OK | constants.X_OK);
      const { bavail, bsize } = await statfs(place);
      return { directory, free: bavail * bsize };
    } catch (error) {
      const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
      if (!missing || place === path.dirname(place)) return { directory };
    }
  }
}
