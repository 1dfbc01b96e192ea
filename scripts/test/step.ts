import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** One line of `npm test`: a static check, or a suite of tests. */
export interface Step {
  readonly name: string;
  /** What a person types to choose it together with its like: `npm test -- static`. */
  readonly group: 'static' | 'suite';
  run(): Promise<Outcome>;
}

export interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly Skip[];
  /** What the tool said; shown when something failed. */
  readonly output: string;
}

export interface Skip {
  readonly test: string;
  readonly reason: string;
  /** The machine does not allow it: no failure even where everything must run. */
  readonly impossible?: boolean;
}

export const root = fileURLToPath(new URL('../..', import.meta.url));

export function inRoot(file: string): boolean {
  return existsSync(path.join(root, file));
}

export interface ToolResult {
  readonly ok: boolean;
  /** Standard output and standard error as they came. */
  readonly output: string;
}

/** Runs a program of `node_modules` (named by its script's path) with the Node that runs this. */
export async function runTool(
  script: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<ToolResult> {
  return await run(process.execPath, [path.join(root, 'node_modules', script), ...args], env);
}

export async function run(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<ToolResult> {
  const { promise, resolve, reject } = Promise.withResolvers<ToolResult>();
  const child = spawn(program, args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.on('error', reject);
  child.on('close', (code) => resolve({ ok: code === 0, output: Buffer.concat(chunks).toString('utf8') }));
  return await promise;
}
