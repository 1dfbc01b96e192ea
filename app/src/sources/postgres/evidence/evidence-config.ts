import { z } from 'zod';
import { duration, size } from '../config-values.ts';

/** How evidence is taken, as it is written down. The command line has the same. */
export const evidenceConfig = z.strictObject({
  databases: z
    .array(z.string())
    .min(1)
    .optional()
    .describe('Only of these; of all that can be entered otherwise.'),
  aggregates: z
    .record(z.string(), z.string())
    .optional()
    .describe('Further aggregates in SQL, by table: shop.public.orders: sum(amount).'),
  hashUpTo: size.optional().describe('The rows of tables up to this size are hashed: 256M.'),
  countUpTo: size.optional().describe('Tables up to this size are counted, larger ones sampled: 8G.'),
  tableTime: duration.optional().describe('For one table at most: 1m.'),
  totalTime: duration.optional().describe('For all of them at most: 10m.'),
});
