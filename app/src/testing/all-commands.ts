import { type CommandParts, commandTable } from '../cli/command-table.ts';
import type { Registration } from '../cli/program.ts';

export type { CommandParts };

/** Every command, each with the part that a test gives it; whatever it does not give must not be called. */
export function allCommands(given: Partial<CommandParts> = {}): Registration[] {
  const parts = new Proxy(given, {
    get: (target, name) => Reflect.get(target, name) ?? unexpected(String(name)),
  }) as CommandParts;
  return commandTable(parts);
}

function unexpected(name: string): () => never {
  return () => {
    throw new Error(`${name} was not expected to be called`);
  };
}
