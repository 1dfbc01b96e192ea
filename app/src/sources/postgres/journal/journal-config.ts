import { z } from 'zod';
import { duration } from '../config-values.ts';
import { SLOT_NAME } from './slot-name.ts';

/** How the journal of a PostgreSQL source is written down: what `holdfast postgres journal` has as options. */
export const journalConfig = z.strictObject({
  spool: z
    .string()
    .optional()
    .describe(
      'A directory where WAL is durable before the server hears that it is, best on another machine than the server’s. ' +
        'Below ~/.local/state unless named.',
    ),
  rpo: duration
    .default('5m')
    .describe('How much may be lost with the machine that has the spool: 30s, 5m, 1h30m. A second at least.'),
  slot: z
    .string()
    .regex(SLOT_NAME)
    .default('holdfast')
    .describe('Our replication slot, on every host of the source. Each journal has one of its own.'),
  name: z
    .string()
    .default('holdfast')
    .describe('Our name for the server: what its synchronous_standby_names may list.'),
  synchronous: z
    .boolean()
    .default(false)
    .describe(
      'The server is meant to wait for us before it acknowledges a commit (RPO 0); a finding says when it does not. It is ' +
        'the server that decides: synchronous_standby_names has to name us.',
    ),
  baseAfterGap: z
    .boolean()
    .default(true)
    .describe(
      'Take a base backup whenever none leads to the journal: at its very beginning, and after a gap. Without it a finding ' +
        'says that one is missing.',
    ),
});
