import * as alertsTest from './commands/alerts/test.ts';
import * as backupNow from './commands/backup.ts';
import * as catalogRebuild from './commands/catalog/rebuild.ts';
import * as demo from './commands/demo.ts';
import * as doctorPostgres from './commands/doctor/postgres.ts';
import * as doctorStorage from './commands/doctor/storage.ts';
import * as backup from './commands/files/backup.ts';
import * as restore from './commands/files/restore.ts';
import * as help from './commands/help.ts';
import * as points from './commands/points.ts';
import * as policyCheck from './commands/policy/check.ts';
import * as policyExplain from './commands/policy/explain.ts';
import * as policySchema from './commands/policy/schema.ts';
import * as postgresBackup from './commands/postgres/backup.ts';
import * as postgresEvidence from './commands/postgres/evidence.ts';
import * as postgresJournal from './commands/postgres/journal.ts';
import * as postgresPoints from './commands/postgres/points.ts';
import * as postgresRestore from './commands/postgres/restore.ts';
import * as postgresTable from './commands/postgres/table.ts';
import * as postgresVerify from './commands/postgres/verify.ts';
import * as check from './commands/repo/check.ts';
import * as copy from './commands/repo/copy.ts';
import * as diff from './commands/repo/diff.ts';
import * as dump from './commands/repo/dump.ts';
import * as find from './commands/repo/find.ts';
import * as forget from './commands/repo/forget.ts';
import * as init from './commands/repo/init.ts';
import * as keyAdd from './commands/repo/key/add.ts';
import * as keyList from './commands/repo/key/list.ts';
import * as keyPasswd from './commands/repo/key/passwd.ts';
import * as keyRemove from './commands/repo/key/remove.ts';
import * as ls from './commands/repo/ls.ts';
import * as prune from './commands/repo/prune.ts';
import * as repairAll from './commands/repo/repair/all.ts';
import * as repairIndex from './commands/repo/repair/index.ts';
import * as repairPacks from './commands/repo/repair/packs.ts';
import * as repairSnapshots from './commands/repo/repair/snapshots.ts';
import * as stats from './commands/repo/stats.ts';
import * as unlock from './commands/repo/unlock.ts';
import * as retentionPreview from './commands/retention/preview.ts';
import * as runs from './commands/runs.ts';
import * as serve from './commands/serve.ts';
import * as status from './commands/status.ts';
import * as up from './commands/up.ts';
import * as worker from './commands/worker.ts';
import type { Registration } from './program.ts';
import type { PlanRepair } from './repair-frame.ts';

/** What the commands need from the engine, one function each. */
export interface CommandParts {
  readonly runDemo: demo.RunDemo;
  readonly listPoints: points.ListPoints;
  readonly backupFiles: backup.BackupFiles;
  readonly planRestore: restore.PlanRestore;
  readonly keepJournal: postgresJournal.KeepJournal;
  readonly backUpBase: postgresBackup.BackUpBase;
  readonly listBases: postgresPoints.ListBases;
  readonly planPostgresRestore: postgresRestore.PlanPostgresRestore;
  readonly takeEvidence: postgresEvidence.TakeEvidence;
  readonly verifyPostgres: postgresVerify.VerifyPostgres;
  readonly planTableRestore: postgresTable.PlanTableRestore;
  readonly diagnosePostgres: doctorPostgres.DiagnosePostgres;
  readonly diagnoseStorage: doctorStorage.DiagnoseStorage;
  readonly checkPolicy: policyCheck.CheckPolicy;
  readonly explainPolicy: policyExplain.ExplainPolicy;
  readonly initRepository: init.InitRepository;
  readonly checkRepository: check.CheckRepository;
  readonly copySnapshots: copy.CopySnapshots;
  readonly planForget: forget.PlanForget;
  readonly planUndo: forget.PlanUndo;
  readonly planPrune: prune.PlanPrune;
  readonly planRepair: PlanRepair;
  readonly planSnapshotRepair: repairSnapshots.PlanSnapshotRepair;
  readonly measureRepository: stats.MeasureRepository;
  readonly listEntries: ls.ListEntries;
  readonly findEntries: find.FindEntries;
  readonly compareSnapshots: diff.CompareSnapshots;
  readonly dumpContent: dump.DumpContent;
  readonly unlockRepository: unlock.UnlockRepository;
  readonly listKeys: keyList.ListKeys;
  readonly addKey: keyAdd.AddKey;
  readonly removeKey: keyRemove.RemoveKey;
  readonly changePassword: keyPasswd.ChangePassword;
  readonly serveRepositories: serve.ServeRepositories;
  readonly serveOrders: worker.ServeOrders;
  readonly runUp: up.RunUp;
  readonly readStatus: status.ReadStatus;
  readonly backupNow: backupNow.BackupNow;
  readonly testAlerts: alertsTest.TestAlerts;
  readonly listRuns: runs.ListRuns;
  readonly rebuildCatalog: catalogRebuild.RebuildCatalog;
  readonly previewRetention: retentionPreview.PreviewRetention;
}

/** Every command with its part. */
export function commandTable(parts: CommandParts): Registration[] {
  return [
    { group: [], define: (parent, context) => points.define(parent, context, parts.listPoints) },
    { group: [], define: (parent, context) => demo.define(parent, context, parts.runDemo) },
    {
      group: ['policy'],
      define: (parent, context) => policyCheck.define(parent, context, parts.checkPolicy),
    },
    {
      group: ['policy'],
      define: (parent, context) => policyExplain.define(parent, context, parts.explainPolicy),
    },
    { group: ['policy'], define: policySchema.define },
    { group: ['files'], define: (parent, context) => backup.define(parent, context, parts.backupFiles) },
    { group: ['files'], define: (parent, context) => restore.define(parent, context, parts.planRestore) },
    {
      group: ['postgres'],
      define: (parent, context) => postgresJournal.define(parent, context, parts.keepJournal),
    },
    {
      group: ['postgres'],
      define: (parent, context) => postgresBackup.define(parent, context, parts.backUpBase),
    },
    {
      group: ['postgres'],
      define: (parent, context) => postgresPoints.define(parent, context, parts.listBases),
    },
    {
      group: ['postgres'],
      define: (parent, context) => postgresRestore.define(parent, context, parts.planPostgresRestore),
    },
    {
      group: ['postgres'],
      define: (parent, context) => postgresEvidence.define(parent, context, parts.takeEvidence),
    },
    {
      group: ['postgres'],
      define: (parent, context) => postgresVerify.define(parent, context, parts.verifyPostgres),
    },
    {
      group: ['postgres'],
      define: (parent, context) => postgresTable.define(parent, context, parts.planTableRestore),
    },
    {
      group: ['doctor'],
      define: (parent, context) => doctorPostgres.define(parent, context, parts.diagnosePostgres),
    },
    {
      group: ['doctor'],
      define: (parent, context) => doctorStorage.define(parent, context, parts.diagnoseStorage),
    },
    { group: ['repo'], define: (parent, context) => init.define(parent, context, parts.initRepository) },
    { group: ['repo'], define: (parent, context) => check.define(parent, context, parts.checkRepository) },
    { group: ['repo'], define: (parent, context) => copy.define(parent, context, parts.copySnapshots) },
    { group: ['repo'], define: (parent, context) => forget.define(parent, context, parts) },
    { group: ['repo'], define: (parent, context) => prune.define(parent, context, parts.planPrune) },
    { group: ['repo'], define: (parent, context) => repairAll.define(parent, context, parts.planRepair) },
    {
      group: ['repo', 'repair'],
      define: (parent, context) => repairIndex.define(parent, context, parts.planRepair),
    },
    {
      group: ['repo', 'repair'],
      define: (parent, context) => repairPacks.define(parent, context, parts.planRepair),
    },
    {
      group: ['repo', 'repair'],
      define: (parent, context) => repairSnapshots.define(parent, context, parts.planSnapshotRepair),
    },
    { group: ['repo'], define: (parent, context) => stats.define(parent, context, parts.measureRepository) },
    { group: ['repo'], define: (parent, context) => ls.define(parent, context, parts.listEntries) },
    { group: ['repo'], define: (parent, context) => find.define(parent, context, parts.findEntries) },
    { group: ['repo'], define: (parent, context) => diff.define(parent, context, parts.compareSnapshots) },
    { group: ['repo'], define: (parent, context) => dump.define(parent, context, parts.dumpContent) },
    { group: ['repo'], define: (parent, context) => unlock.define(parent, context, parts.unlockRepository) },
    { group: ['repo', 'key'], define: (parent, context) => keyList.define(parent, context, parts.listKeys) },
    { group: ['repo', 'key'], define: (parent, context) => keyAdd.define(parent, context, parts.addKey) },
    {
      group: ['repo', 'key'],
      define: (parent, context) => keyRemove.define(parent, context, parts.removeKey),
    },
    {
      group: ['repo', 'key'],
      define: (parent, context) => keyPasswd.define(parent, context, parts.changePassword),
    },
    { group: [], define: (parent, context) => serve.define(parent, context, parts.serveRepositories) },
    { group: [], define: (parent, context) => up.define(parent, context, parts.runUp) },
    { group: [], define: (parent, context) => status.define(parent, context, parts.readStatus) },
    { group: [], define: (parent, context) => backupNow.define(parent, context, parts.backupNow) },
    { group: [], define: (parent, context) => runs.define(parent, context, parts.listRuns) },
    {
      group: ['retention'],
      define: (parent, context) => retentionPreview.define(parent, context, parts.previewRetention),
    },
    {
      group: ['catalog'],
      define: (parent, context) => catalogRebuild.define(parent, context, parts.rebuildCatalog),
    },
    { group: ['alerts'], define: (parent, context) => alertsTest.define(parent, context, parts.testAlerts) },
    { group: [], define: (parent) => worker.define(parent, parts.serveOrders) },
    { group: [], define: help.define },
  ];
}
