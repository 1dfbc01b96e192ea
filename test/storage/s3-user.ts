import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { contentOf } from '../scenes/tree-arbitrary.ts';
import type { RunningS3 } from '../servers/s3-server.ts';
import { type CommandLine, commandLine } from '../stories/command-line.ts';

export const PASSWORD = 'correct horse';

/** A person with our command line and keys for a server; `environment` comes on top. */
export function userOf(
  server: Pick<RunningS3, 'environment'>,
  environment: Record<string, string> = {},
): CommandLine {
  return commandLine({
    ...server.environment,
    HOLDFAST_PASSWORD: PASSWORD,
    RESTIC_PASSWORD: PASSWORD,
    ...environment,
  });
}

export function newPlace(endpoint: string): string {
  return `s3:${endpoint}/b-${randomBytes(4).toString('hex')}/repository`;
}

/** Some hundred files of all sizes, some megabytes; returns its path. */
export function growTree(user: CommandLine, name = 'tree'): string {
  const tree = path.join(user.directory, name);
  for (let number = 0; number < 240; number++) {
    const folder = path.join(tree, String(number % 12));
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, `file ${number}`), contentOf(number * 97, number));
  }
  writeFileSync(path.join(tree, 'large'), contentOf(9_000_000, 1));
  return tree;
}
