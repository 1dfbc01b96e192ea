import { parentPort, workerData } from 'node:worker_threads';
import { openCompressor } from '../../format/compressor.ts';
import { Sealer } from '../../format/sealing.ts';
import { BlobTable } from '../blob-table.ts';
import { PackContents } from '../pack-contents.ts';
import { verifyPack } from './pack-verification.ts';
import type { Verified, VerifyTask, VerifyWorkerSetup } from './verify-crew.ts';

/** Verifies one pack after the other, as they are sent. */
function work({ key, table, contents }: VerifyWorkerSetup): void {
  const port = parentPort;
  if (port === null) throw new Error('this module is a worker thread');
  const openers = { sealer: new Sealer(key), compressor: openCompressor() };
  const packs = new PackContents(BlobTable.attach(table), contents);
  port.on('message', ({ ticket, pack, name, bytes }: VerifyTask) => {
    const verdict = verifyPack(name, bytes, packs.blobsOf(pack), openers);
    // Given back at once: waiting for the garbage collector would cost the weight of many packs in memory.
    bytes.buffer.transfer(0);
    port.postMessage({ ticket, verdict } satisfies Verified);
  });
}

work(workerData as VerifyWorkerSetup);
