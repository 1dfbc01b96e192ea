import type { CommandParts } from '../cli/command-table.ts';
import { backupFiles } from './files/backup.ts';
import { planRestore } from './files/restore.ts';
import type { Machine } from './machine.ts';
import { onDemand } from './on-demand.ts';
import { listPoints } from './points.ts';
import { checkRepository } from './repo/check.ts';
import { copySnapshots } from './repo/copy.ts';
import { compareSnapshots } from './repo/diff.ts';
import { dumpContent } from './repo/dump.ts';
import { findEntries } from './repo/find.ts';
import { planForget } from './repo/forget.ts';
import { initRepository } from './repo/init.ts';
import { addKey } from './repo/key/add.ts';
import { listKeys } from './repo/key/list.ts';
import { changePassword } from './repo/key/passwd.ts';
import { removeKey } from './repo/key/remove.ts';
import { listEntries } from './repo/ls.ts';
import { planPrune } from './repo/prune.ts';
import { planRepair } from './repo/repair/repair.ts';
import { planSnapshotRepair } from './repo/repair/snapshots.ts';
import { measureRepository } from './repo/stats.ts';
import { planUndo } from './repo/undo-forget.ts';
import { unlockRepository } from './repo/unlock.ts';

/** What stands behind each command on this machine. */
export function operations(machine: Machine): CommandParts {
  const parts = {
    runDemo: onDemand(async () => (await import('../demo/run-demo.ts')).runDemo(machine, operations)),
    listPoints: listPoints(machine),
    backupFiles: backupFiles(machine),
    planRestore: planRestore(machine),
    keepJournal: onDemand(async () => (await import('./postgres/journal.ts')).keepJournal(machine)),
    backUpBase: onDemand(async () => (await import('./postgres/backup.ts')).backUpBase(machine)),
    listBases: onDemand(async () => (await import('./postgres/points.ts')).listBases(machine)),
    planPostgresRestore: onDemand(async () =>
      (await import('./postgres/restore.ts')).planPostgresRestore(machine),
    ),
    takeEvidence: onDemand(async () => (await import('./postgres/evidence.ts')).takeEvidence(machine)),
    verifyPostgres: onDemand(async () => (await import('./postgres/verify.ts')).verifyPostgres(machine)),
    planTableRestore: onDemand(async () => (await import('./postgres/table.ts')).planTableRestore(machine)),
    diagnosePostgres: onDemand(async () => (await import('./postgres/doctor.ts')).diagnosePostgres(machine)),
    checkPolicy: onDemand(async () => (await import('./policy/check.ts')).checkPolicy(machine)),
    explainPolicy: onDemand(async () => (await import('./policy/explain.ts')).explainPolicy(machine)),
    runUp: onDemand(async () => (await import('./control/up.ts')).runUp(machine)),
    readStatus: onDemand(async () => (await import('./control/status.ts')).readStatus(machine)),
    backupNow: onDemand(async () => (await import('./control/backup.ts')).backupNow(machine)),
    listRuns: onDemand(async () => (await import('./control/runs.ts')).listRuns(machine)),
    testAlerts: onDemand(async () => {
      const { alertSources } = await import('./control/alert-sources.ts');
      return (await import('./alerts/test.ts')).testAlerts(machine, alertSources(machine));
    }),
    diagnoseStorage: onDemand(async () => (await import('./doctor/storage.ts')).diagnoseStorage(machine)),
    planForget: planForget(machine),
    planUndo: planUndo(machine),
    initRepository: initRepository(machine),
    checkRepository: checkRepository(machine),
    copySnapshots: copySnapshots(machine),
    planPrune: planPrune(machine),
    planRepair: planRepair(machine),
    planSnapshotRepair: planSnapshotRepair(machine),
    measureRepository: measureRepository(machine),
    listEntries: listEntries(machine),
    findEntries: findEntries(machine),
    compareSnapshots: compareSnapshots(machine),
    dumpContent: dumpContent(machine),
    unlockRepository: unlockRepository(machine),
    listKeys: listKeys(machine),
    addKey: addKey(machine),
    removeKey: removeKey(machine),
    changePassword: changePassword(machine),
    serveRepositories: onDemand(async () => (await import('./serve.ts')).serveRepositories(machine)),
  };
  return {
    ...parts,
    rebuildCatalog: onDemand(async () =>
      (await import('./catalog/rebuild.ts')).rebuildCatalog(machine, parts),
    ),
    previewRetention: onDemand(async () =>
      (await import('./retention/preview.ts')).previewRetention(machine, parts),
    ),
    serveOrders:
      machine.orders === undefined
        ? undefined
        : onDemand(async () => (await import('./control/worker.ts')).serveOrders(machine, parts)),
  };
}
