import type { CommandParts } from '../cli/command-table.ts';
import { runDemo } from '../demo/run-demo.ts';
import { testAlerts } from './alerts/test.ts';
import { alertSources } from './control/alert-sources.ts';
import { backupNow } from './control/backup.ts';
import { listRuns } from './control/runs.ts';
import { readStatus } from './control/status.ts';
import { runUp } from './control/up.ts';
import { serveOrders } from './control/worker.ts';
import { diagnoseStorage } from './doctor/storage.ts';
import { backupFiles } from './files/backup.ts';
import { planRestore } from './files/restore.ts';
import type { Machine } from './machine.ts';
import { listPoints } from './points.ts';
import { checkPolicy } from './policy/check.ts';
import { explainPolicy } from './policy/explain.ts';
import { backUpBase } from './postgres/backup.ts';
import { diagnosePostgres } from './postgres/doctor.ts';
import { takeEvidence } from './postgres/evidence.ts';
import { keepJournal } from './postgres/journal.ts';
import { listBases } from './postgres/points.ts';
import { planPostgresRestore } from './postgres/restore.ts';
import { planTableRestore } from './postgres/table.ts';
import { verifyPostgres } from './postgres/verify.ts';
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
import { serveRepositories } from './serve.ts';

/** What stands behind each command on this machine. */
export function operations(machine: Machine): CommandParts {
  const parts = {
    runDemo: runDemo(machine, operations),
    listPoints: listPoints(machine),
    backupFiles: backupFiles(machine),
    planRestore: planRestore(machine),
    keepJournal: keepJournal(machine),
    backUpBase: backUpBase(machine),
    listBases: listBases(machine),
    planPostgresRestore: planPostgresRestore(machine),
    takeEvidence: takeEvidence(machine),
    verifyPostgres: verifyPostgres(machine),
    planTableRestore: planTableRestore(machine),
    diagnosePostgres: diagnosePostgres(machine),
    diagnoseStorage: diagnoseStorage(machine),
    checkPolicy: checkPolicy(machine),
    explainPolicy: explainPolicy(machine),
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
    serveRepositories: serveRepositories(machine),
  };
  return {
    ...parts,
    runUp: runUp(machine),
    readStatus: readStatus(machine),
    backupNow: backupNow(machine),
    testAlerts: testAlerts(machine, alertSources(machine)),
    listRuns: listRuns(machine),
    serveOrders: serveOrders(machine, parts),
  };
}
