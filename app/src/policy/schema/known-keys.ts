import type { z } from 'zod';
import { schemaNotes } from './notes.ts';
import { policySchema } from './policy.ts';

type Schema = z.core.$ZodType;

let known: ReadonlyMap<string, boolean> | undefined;

/** Whether any mapping of a policy has it. */
export function isKnownKey(key: string): boolean {
  return allKeys().has(key);
}

/** Whether its value may be shown beside something else that is wrong. A key that nobody knows is not one of them. */
export function isHarmlessKey(key: string): boolean {
  return allKeys().get(key) === true;
}

function allKeys(): ReadonlyMap<string, boolean> {
  if (known !== undefined) return known;
  const found = new Map<string, boolean>();
  // Of one that means a secret in one mapping and not in another, the worse counts.
  for (const [key, harmless] of keysBelow(policySchema, new Set())) {
    found.set(key, harmless && found.get(key) !== false);
  }
  known = found;
  return known;
}

function* keysBelow(schema: Schema, seen: Set<Schema>): Generator<readonly [key: string, harmless: boolean]> {
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
    yield [key, !isSecret(value)];
    yield* keysBelow(value, seen);
  }
}

function isSecret(schema: Schema): boolean {
  const { innerType } = schema._zod.def as { innerType?: Schema };
  return schemaNotes.get(schema)?.secret === true || (innerType !== undefined && isSecret(innerType));
}
