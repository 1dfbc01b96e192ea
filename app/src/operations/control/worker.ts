import { Failure } from '@holdfast/engine';
import type { Operations } from '../../protect/hands.ts';
import { serveOrder } from '../../protect/serve-orders.ts';
import type { Machine } from '../machine.ts';
import { handsOf } from './hands.ts';

/** What a worker does, in a process that a control plane has started. */
export function serveOrders(machine: Machine, operations: Operations): () => Promise<void> {
  return async () => {
    const { orders } = machine;
    if (orders === undefined) throw new Failure('usage', 'there is nobody to take orders from');
    await serveOrder(orders, handsOf(machine, operations));
  };
}
