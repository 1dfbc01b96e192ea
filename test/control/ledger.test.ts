import { describe, expect, test } from 'vitest';
import { labelsOf } from '../../app/src/operations/files/snapshot-labels.ts';
import { newestLedger } from '../../app/src/protect/newest-ledger.ts';
import { RECORD_TAG, saveLedger } from '../../app/src/protect/record.ts';
import { saveDocuments } from '../../app/src/snapshot/save-documents.ts';
import { runOf } from '../../app/src/testing/healthy-stack.ts';
import type { Failure } from '../../engine/src/kernel/failure.ts';
import type { Repository } from '../../engine/src/repository/repository.ts';
import { DutyScene } from './duty-scene.ts';

const RECORD = { kind: 'record', repository: 'main' } as const;
const ledger = (policy: string) => ({ policy, runs: [runOf('check', 'main', 1)], findings: [] });

/** What a later program, or somebody else, may have written under our tag. */
async function saveOther(scene: DutyScene, repository: Repository, stack: string): Promise<void> {
  const { machine } = scene;
  const labels = labelsOf({ tag: [[RECORD_TAG, `stack:${stack}`]] }, machine);
  const { signal } = new AbortController();
  const options = { clock: machine.clock, labels, paths: ['/holdfast'], retryLock: 0, signal };
  await saveDocuments(repository, new Map([['holdfast/other', Buffer.from('?')]]), options);
}

describe('the ledgers in a repository', () => {
  test('are read from the newest one, and five of them stay', async () => {
    using scene = new DutyScene();
    const main = await scene.create('main');
    for (let number = 1; number <= 7; number += 1) {
      await saveLedger(scene.duty(RECORD), 'main', ledger(`policy ${number}`));
    }
    const found = await newestLedger(scene.duty(RECORD), 'main', () => undefined);
    expect(found?.ledger).toEqual(ledger('policy 7'));
    const records = (await main.loadSnapshots()).filter(({ tags }) => tags.includes(RECORD_TAG));
    expect(records).toHaveLength(5);
  });

  test('give way to the one before when the newest cannot be read, and it is said', async () => {
    using scene = new DutyScene();
    const main = await scene.create('main');
    await saveLedger(scene.duty(RECORD), 'main', ledger('good'));
    await saveOther(scene, main, 'shop');
    const damaged: Failure[] = [];
    const found = await newestLedger(scene.duty(RECORD), 'main', (failure) => damaged.push(failure));
    expect(found?.ledger.policy).toBe('good');
    expect(damaged).toHaveLength(1);
  });

  test('of another stack are none', async () => {
    using scene = new DutyScene();
    await saveOther(scene, await scene.create('main'), 'library');
    expect(await newestLedger(scene.duty(RECORD), 'main', () => undefined)).toBeUndefined();
  });
});
