import type { SnapshotLabels } from '@holdfast/engine';
import type { BackupRequest } from '../../cli/commands/files/backup.ts';
import type { Machine } from '../machine.ts';

export type LabelMachine = Pick<Machine, 'clock' | 'timeZone' | 'hostname' | 'username' | 'version'>;

/** Who and what a snapshot says it is of; the time with the offset of this machine's zone, as restic writes it. */
export function labelsOf(
  request: Pick<BackupRequest, 'host' | 'tag' | 'time'>,
  machine: LabelMachine,
): SnapshotLabels {
  return {
    hostname: request.host ?? machine.hostname,
    username: machine.username,
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
    tags: (request.tag ?? []).flat(),
    time: Temporal.Instant.fromEpochMilliseconds(request.time ?? machine.clock.now())
      .toZonedDateTimeISO(machine.timeZone)
      .toString({ timeZoneName: 'never', fractionalSecondDigits: 9 }),
    programVersion: `holdfast ${machine.version}`,
  };
}
