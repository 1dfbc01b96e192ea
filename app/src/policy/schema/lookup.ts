import type { z } from 'zod';
import type { Path } from '../problem.ts';

type Schema = z.core.$ZodType;

/**
 * The schemas that a value at this path is read by: several where there are alternatives, and each wrapper (an optional
 * one, a union) before what it wraps, since what is known of a schema may hang on either.
 */
export function schemaAt(schema: Schema, path: Path, root: unknown): Schema[] {
  let schemas = unfold(schema, root);
  let value = root;
  for (const part of path) {
    const inner = isMapping(value) ? value[part] : undefined;
    schemas = schemas.flatMap((outer) => stepInto(outer, part)).flatMap((next) => unfold(next, inner));
    value = inner;
  }
  return schemas;
}

function unfold(schema: Schema, value: unknown): Schema[] {
  const { def } = schema._zod;
  if (isOptional(def)) return [schema, ...unfold(def.innerType, value)];
  if (isUnion(def))
    return [schema, ...def.options.filter(fits(value)).flatMap((each) => unfold(each, value))];
  return [schema];
}

/** An alternative for a mapping says nothing of a text. */
function fits(value: unknown): (schema: Schema) => boolean {
  const mapping = isMapping(value) && !Array.isArray(value);
  return ({ _zod: { def } }) => {
    if (def.type === 'object' || def.type === 'record') return mapping;
    return def.type === 'array' ? Array.isArray(value) : true;
  };
}

function stepInto(schema: Schema, part: string | number): Schema[] {
  const { def } = schema._zod;
  if (isObject(def)) return Object.hasOwn(def.shape, part) ? [def.shape[part] as Schema] : [];
  if (isRecord(def)) return [def.valueType];
  return isArray(def) ? [def.element] : [];
}

function isMapping(value: unknown): value is Record<string | number, unknown> {
  return typeof value === 'object' && value !== null;
}

type Def = z.core.$ZodTypeDef;

function isOptional(def: Def): def is z.core.$ZodOptionalDef {
  return def.type === 'optional';
}

function isUnion(def: Def): def is z.core.$ZodUnionDef {
  return def.type === 'union';
}

function isObject(def: Def): def is z.core.$ZodObjectDef {
  return def.type === 'object';
}

function isRecord(def: Def): def is z.core.$ZodRecordDef {
  return def.type === 'record';
}

function isArray(def: Def): def is z.core.$ZodArrayDef {
  return def.type === 'array';
}
