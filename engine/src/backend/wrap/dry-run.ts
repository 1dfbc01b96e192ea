import type { Backend } from '../backend.ts';

/** Reads as usual; what would be saved or removed is dropped. For `--dry-run`, which means "do not execute". */
export function dryRun(inner: Backend): Backend {
  return {
    ...inner,
    save: async () => undefined,
    remove: async () => undefined,
  };
}
