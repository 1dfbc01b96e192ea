import { z } from 'zod';

/** What zod does not know of a schema, for messages. */
export interface SchemaNotes {
  /** A text that was probably meant, for one that does not fit. */
  readonly repair?: (text: string) => string | undefined;
  /** What is written here may be a secret, even where it does not fit: never shown. */
  readonly secret?: true;
  /** Keys that are understood and refused: what there is no program for yet. */
  readonly later?: Readonly<Record<string, string>>;
}

export const schemaNotes: z.core.$ZodRegistry<SchemaNotes> = z.registry<SchemaNotes>();

/** Notes on a schema that is told of as it is. */
export function noted<Schema extends z.core.$ZodType>(schema: Schema, notes: SchemaNotes): Schema {
  schemaNotes.add(schema, notes);
  return schema;
}
