import { policyJsonSchema } from '../app/src/policy/json-schema.ts';
import { policyReference } from '../app/src/policy/reference.ts';

/** The pages that are made from the schema. */
export function policyDocs(): { readonly file: URL; readonly text: string }[] {
  const schema = policyJsonSchema();
  return [
    { file: page('policy.schema.json'), text: `${JSON.stringify(schema, null, 2)}\n` },
    { file: page('policy.md'), text: policyReference(schema) },
  ];
}

function page(name: string): URL {
  return new URL(`../docs/${name}`, import.meta.url);
}
