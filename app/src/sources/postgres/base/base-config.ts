import { z } from 'zod';

/** How base backups of a PostgreSQL source are taken: what `holdfast postgres backup` has as options. */
export const baseConfig = z.strictObject({
  checkpoint: z
    .enum(['fast', 'spread'])
    .default('fast')
    .describe('Begin at once with a checkpoint that the disks feel, or wait for one that nobody does.'),
  maxRate: z.int().min(1).optional().describe('KiB/s that the server sends at most.'),
  compression: z.enum(['auto', 'off', 'max']).default('auto').describe('How hard to compress new data.'),
  host: z.string().optional().describe('The host that snapshots are of; the server’s own unless named.'),
});
