import * as z from 'zod';

const time = z.string().meta({ format: 'date-time', description: 'RFC 3339, in UTC.' });

/** What a webhook receives. Published as `docs/alert-webhook.schema.json`; new fields may come, none goes within a version. */
export const webhookBody = z
  .object({
    version: z.literal(1),
    delivery: z.string().describe('The same each time that this message is tried: to know a second one by.'),
    stack: z.string().describe('The name at the top of the policy.'),
    at: time,
    test: z.boolean().describe('True: somebody tried the channel, and news is empty.'),
    news: z
      .array(
        z.object({
          kind: z
            .enum(['opened', 'back', 'worse', 'repeated', 'resolved'])
            .describe('What has become of it since the last message about it.'),
          incident: z.string().describe('The same from the opening of an incident to its end.'),
          key: z.string().describe('The same for the same trouble, whenever it comes.'),
          severity: z.enum(['critical', 'warning', 'info']),
          about: z
            .string()
            .describe('Name of a source, repository, copy or channel; holdfast for the control plane.'),
          code: z.string().describe('Stable, for programs: run.failed, rpo.exceeded, …'),
          message: z.string().describe('What is wrong, for people.'),
          hint: z.string().optional().describe('What happens next, or what to look at.'),
          since: time,
          until: time.meta({ description: 'Of what is resolved: when it was no longer there.' }).optional(),
        }),
      )
      .describe('Worst first; what is resolved last.'),
  })
  .describe('A message of Holdfast to a webhook.');

export type WebhookBody = z.infer<typeof webhookBody>;

/** JSON Schema, draft 2020-12, open for fields to come. */
export function webhookSchema(): string {
  return `${JSON.stringify(z.toJSONSchema(webhookBody, { io: 'input' }), null, 2)}\n`;
}
