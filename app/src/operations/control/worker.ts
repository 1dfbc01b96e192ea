import type { ServeOrders } from '../../cli/commands/worker.ts';
import type { Operations } from '../../protect/hands.ts';
import { serveOrder } from '../../protect/serve-orders.ts';
import type { Machine } from '../machine.ts';
import { handsOf } from './hands.ts';

/** What a worker does; undefined in a process that no control plane has started. */
export function serveOrders(machine: Machine, operations: Operations): ServeOrders {
  const { orders } = machine;
  if (orders === undefined) return undefined;
  return () => serveOrder(orders, handsOf(machine, operations));
}
