import { Worker } from 'node:worker_threads';

/**
 * Starts a worker module that lies beside the module which starts it, named without its extension.
 *
 * Workers handle bytes by the megabyte and objects that die at once: a young generation of 12 MB rather than 48 or more
 * is collected before it has spread over the memory, which is a third of a backup's peak.
 */
export function startWorker(importer: string, module: string, workerData: unknown): Worker {
  const resourceLimits = { maxYoungGenerationSizeMb: 12 };
  return new Worker(workerUrl(importer, module), { workerData, resourceLimits });
}

/** `.ts` when run from source, `.js` when built. (The compiler rewrites imports, not addresses.) */
export function workerUrl(importer: string, module: string): URL {
  return new URL(module + importer.slice(importer.lastIndexOf('.')), importer);
}
