import { sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where our own dependencies are installed: real files of every kind, and there wherever we run. */
export function findDependencies(): string | undefined {
  const commander = fileURLToPath(import.meta.resolve('commander'));
  const end = commander.lastIndexOf(`${sep}node_modules${sep}commander${sep}`);
  return end < 0 ? undefined : `${commander.slice(0, end)}${sep}node_modules`;
}
