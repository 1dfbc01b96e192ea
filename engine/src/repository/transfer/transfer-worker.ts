import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { openCompressor } from '../../format/compressor.ts';
import { Sealer } from '../../format/sealing.ts';
import { BlobTable } from '../blob-table.ts';
import { Packer } from '../packer.ts';
import { BlobRewriter } from './blob-rewriter.ts';
import type { FromTransferWorker, ToTransferWorker, TransferSetup } from './transfer-crew.ts';

/** Rewrites one run of blobs after the other, as they are sent, until it is told to close. */
function work(port: MessagePort, setup: TransferSetup): void {
  const { version } = setup;
  const compressor = openCompressor();
  const buffers: ArrayBuffer[] = [];
  const send = (message: FromTransferWorker, transfer: ArrayBuffer[] = []) =>
    port.postMessage(message, transfer);
  const packer = new Packer({
    key: setup.targetKey,
    table: BlobTable.attach(setup.table),
    version,
    compression: 'auto',
    compressor,
    packSize: setup.packSize,
    deliver: (pack) => send({ type: 'pack', pack }, [pack.bytes.buffer, pack.layout.buffer]),
    recycled: () => buffers.pop(),
  });
  const rewriter = new BlobRewriter({ sealer: new Sealer(setup.sourceKey), compressor, packer, version });

  port.on('message', (message: ToTransferWorker) => {
    switch (message.type) {
      case 'run': {
        const { ticket, blobs, bytes, offset } = message;
        const damaged = rewriter.rewrite(blobs, bytes, offset);
        // Given back at once: waiting for the garbage collector would cost the weight of many packs in memory.
        bytes.buffer.transfer(0);
        send({ type: 'done', ticket, damaged });
        break;
      }
      case 'content':
        rewriter.save(message.blobType, message.bytes);
        send({ type: 'done', ticket: message.ticket, damaged: [] });
        break;
      case 'flush':
        rewriter.flush();
        send({ type: 'done', ticket: message.ticket, damaged: [] });
        break;
      case 'buffer':
        if (buffers.length < MOST_BUFFERS) buffers.push(message.buffer);
        break;
      case 'close':
        compressor.close();
        port.close();
        break;
    }
  });
}

/** The one that is saved while the next is filled. */
const MOST_BUFFERS = 1;

if (parentPort === null) throw new Error('this module is a worker thread');
work(parentPort, workerData as TransferSetup);
