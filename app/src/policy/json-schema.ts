import { z } from 'zod';
import { policySchema } from './schema/policy.ts';

export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

/** The form of a policy file as a JSON Schema (2020-12), for editors: the same schema that reads one. */
export function policyJsonSchema(): JsonSchema {
  const { $schema, ...schema } = z.toJSONSchema(policySchema, { target: 'draft-2020-12', io: 'input' });
  return {
    $schema,
    title: 'Holdfast policy',
    description: 'What must survive, how fresh, how long and where. See docs/policy.md.',
    ...schema,
  };
}
