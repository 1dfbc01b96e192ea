import { spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { Failure } from '@holdfast/engine';
import { Secret } from '../cli/secret.ts';
import type { Environment } from '../cli/terminal.ts';
import type { PlainOrSecret, SecretReference } from '../policy/model.ts';

export interface SecretSurroundings {
  readonly environment: Environment;
  readonly signal: AbortSignal;
  /** Milliseconds that a command may take. */
  readonly limit?: number;
}

/** Whoever has to be asked for a passphrase cannot be at night. */
const COMMAND_LIMIT = 30_000;
/** A key in PEM has some kilobytes. */
const MOST_BYTES = 64 * 1024;

/**
 * What a reference refers to, without a last newline. Rejects with `secret.unavailable`, whose texts name the reference
 * and never what was found: not even what a command wrote to its standard error.
 */
export async function resolveSecret(
  reference: SecretReference,
  surroundings: SecretSurroundings,
): Promise<Secret> {
  const text = await readReference(reference, surroundings);
  if (text !== '') return new Secret(text);
  throw unavailable(reference, 'it is empty');
}

/** A value that may be written out. It is handed on as a secret either way: an address by reference holds a login. */
export async function resolveText(value: PlainOrSecret, surroundings: SecretSurroundings): Promise<Secret> {
  return value.kind === 'plain' ? new Secret(value.text) : resolveSecret(value, surroundings);
}

/** How a reference is named in messages. Of a command only the program: its words may hold a secret. */
export function referenceName(reference: SecretReference): string {
  switch (reference.kind) {
    case 'env':
      return `environment variable ${reference.name}`;
    case 'file':
      return `file ${reference.path}`;
    case 'command':
      return `command ${reference.command.trim().split(/\s/)[0]}`;
  }
}

async function readReference(reference: SecretReference, surroundings: SecretSurroundings): Promise<string> {
  surroundings.signal.throwIfAborted();
  if (reference.kind === 'env') {
    const value = surroundings.environment[reference.name];
    if (value === undefined) throw unavailable(reference, 'it is not set for this process');
    return withoutNewline(value);
  }
  const bytes =
    reference.kind === 'file'
      ? await readSecretFile(reference)
      : await runSecretCommand(reference, surroundings);
  return withoutNewline(bytes.toString('utf8'));
}

async function readSecretFile(reference: SecretReference & { readonly kind: 'file' }): Promise<Buffer> {
  try {
    await using file = await open(reference.path);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MOST_BYTES + 1));
    if (bytesRead > MOST_BYTES) throw unavailable(reference, `it is larger than ${MOST_BYTES} bytes`);
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    if (error instanceof Failure) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw unavailable(reference, REASONS[code] ?? code);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  EACCES: 'this user may not read it',
  EISDIR: 'it is a directory',
};

function runSecretCommand(
  reference: SecretReference & { readonly kind: 'command' },
  { environment, signal, limit = COMMAND_LIMIT }: SecretSurroundings,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // A group of its own: what a shell has started goes with it.
    const child = spawn('/bin/sh', ['-c', reference.command], {
      env: { ...environment },
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
    });
    const pieces: Buffer[] = [];
    let size = 0;
    let refusal: unknown;
    const stop = (reason: unknown) => {
      refusal ??= reason;
      if (child.pid !== undefined && child.exitCode === null) killGroup(child.pid);
      child.stdout.destroy();
    };
    const timer = setTimeout(
      () => stop(unavailable(reference, `it did not end within ${limit / 1000} s`)),
      limit,
    );
    const onAbort = () => stop(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    child.stdout.on('data', (piece: Buffer) => {
      size += piece.length;
      if (size > MOST_BYTES) stop(unavailable(reference, `it prints more than ${MOST_BYTES} bytes`));
      else pieces.push(piece);
    });
    child.on('error', () => stop(unavailable(reference, 'no shell can be started')));
    child.on('close', (code, killer) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      if (refusal === undefined && code !== 0) {
        refusal = unavailable(reference, `it ended with ${code ?? killer}`);
      }
      if (refusal === undefined) resolve(Buffer.concat(pieces));
      else reject(refusal);
    });
  });
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

function unavailable(reference: SecretReference, why: string): Failure {
  return new Failure('secret.unavailable', `a secret cannot be read: ${why}`, {
    subject: referenceName(reference),
    hint: HINTS[reference.kind],
  });
}

const HINTS = {
  env: 'Is it set for the service, not only in your shell?',
  file: 'Does the user that this program runs as own it?',
  command: 'Does it print the secret when this user runs it in sh, without being asked anything?',
} as const;

function withoutNewline(text: string): string {
  return text.replace(/\r?\n$/, '');
}
