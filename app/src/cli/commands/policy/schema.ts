import type { Command } from 'commander';
import { policyJsonSchema } from '../../../policy/json-schema.ts';
import { newCommand, present } from '../../command-frame.ts';
import type { Context } from '../../context.ts';
import { addGlobalOptions } from '../../global-options.ts';

export function define(parent: Command, context: Context): void {
  const command = newCommand(parent, {
    usage: 'schema',
    summary: 'print the JSON Schema of policy files, for editors',
    examples: [['holdfast policy schema > policy.schema.json', 'then name it in the editor’s YAML settings']],
  });
  addGlobalOptions(command).action(() => {
    const schema = policyJsonSchema();
    const view = {
      lines: () => JSON.stringify(schema, null, 2).split('\n'),
      records: () => [{ type: 'schema', schema }],
    };
    present(command, context, view, 'answer');
  });
}
