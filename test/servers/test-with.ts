import { test } from 'vitest';
import type { Obtained, Server } from './server.ts';

declare module 'vitest' {
  interface TaskMeta {
    /** Skipped because this machine does not allow it at all. */
    impossible?: boolean;
  }
}

/**
 * `test` with the server in its context; where it cannot be had, each test is skipped with the reason.
 *
 *     const withRestic = testWith(restic);
 *     withRestic('restic restores what we backed up', async ({ server }) => { … server.path … });
 */
export function testWith(wanted: Server) {
  let asked: ReturnType<Server['obtain']> | undefined;
  return test.extend<{ server: Obtained }>({
    server: [
      async ({ skip, task }, use) => {
        asked ??= wanted.obtain();
        const found = await asked;
        if ('unavailable' in found) {
          task.meta.impossible = found.impossible === true;
          return skip(found.unavailable);
        }
        await use(found);
      },
      { auto: true },
    ],
  });
}
