import type { z } from 'zod';
import { schemaNotes } from './notes.ts';
import { policySchema } from './policy.ts';

type Schema = z.core.$ZodType;

let known: ReadonlySet<string> | undefined;

/** Keys whose values may be shown beside something else that is wrong. A key that nobody knows is not one of them. */
export function harmlessKeys(): ReadonlySet<string> {
  known ??= new Set(keysBelow(policySchema, new Set()));
  return known;
}

function* keysBelow(schema: Schema, seen: Set<Schema>): Generator<string> {
  if (seen.has(schema)) return;
  seen.add(schema);
  const { def } = schema._zod;
  const inner = def as {
    innerType?: Schema;
    options?: readonly Schema[];
    valueType?: Schema;
    element?: Schema;
  };
  for (const next of [inner.innerType, inner.valueType, inner.element, ...(inner.options ?? [])]) {
    if (next !== undefined) yield* keysBelow(next, seen);
  }
  if (!('shape' in def)) return;
  for (const [key, value] of Object.entries(def.shape as Record<string, Schema>)) {
    // Of an address the login is hidden by its form.
    if (key === 'url' || !isSecret(value)) yield key;
    yield* keysBelow(value, seen);
  }
}

function isSecret(schema: Schema): boolean {
  const { innerType } = schema._zod.def as { innerType?: Schema };
  return schemaNotes.get(schema)?.secret === true || (innerType !== undefined && isSecret(innerType));
}
