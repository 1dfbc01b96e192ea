/**
 * One piece of work on a repository, by us, in a process of its own that can be killed. Its orders come as JSON in
 * argv[2]; it writes a line when it begins, and one of JSON when the work is done, or why it is not. Run by errand-process.ts.
 */
import { writeSync } from 'node:fs';
import { openLocal } from '../../engine/src/backend/local/local.ts';
import { type Fault, fault } from '../../engine/src/backend/wrap/fault.ts';
import { Failure, isFailure } from '../../engine/src/kernel/failure.ts';
import { perform, type Work } from '../scenes/repository-work.ts';

export interface Orders {
  readonly repository: string;
  readonly password: string;
  readonly work: Work;
  readonly fault?: Fault;
}

const orders = JSON.parse(process.argv[2] ?? '') as Orders;
const interrupted = new AbortController();
process.on('SIGINT', () => interrupted.abort(new Failure('interrupted', 'somebody pressed Ctrl-C')));

writeSync(1, 'begun\n');
const local = await openLocal({ path: orders.repository });
const backend = orders.fault === undefined ? local : fault(local, [orders.fault]);
try {
  say({ done: await perform(backend, orders.password, orders.work, interrupted.signal) });
} catch (error) {
  // What is no Failure is a bug of ours: the stack says where.
  if (!isFailure(error)) throw error;
  say({ failed: error.code, message: error.message });
  process.exitCode = 1;
}

function say(line: object): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}
