import { Failure } from '@holdfast/engine';
import type { Command } from 'commander';

/** Waits for an order from the control plane, carries it out and ends. */
export type ServeOrders = (() => Promise<void>) | undefined;

/** Not for people: `holdfast up` starts it. */
export function define(parent: Command, serveOrders: ServeOrders): void {
  parent
    .command('worker', { hidden: true })
    .description('carries out one order of the control plane, which starts it')
    .action(async () => {
      if (serveOrders === undefined) {
        throw new Failure('usage', 'a worker is started by holdfast up, not by hand', {
          hint: 'To begin a backup now: holdfast backup SOURCE.',
        });
      }
      await serveOrders();
    });
}
