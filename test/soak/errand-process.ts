import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { basename, dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { FailureCode } from '../../engine/src/kernel/failure.ts';
import type { Id } from '../../engine/src/kernel/id.ts';
import { HOST } from '../scenes/backup-scene.ts';
import type { Done, Work } from '../scenes/repository-work.ts';
import type { Errand } from './errand.ts';
import type { Orders } from './holdfast-process.ts';

/** How an errand ended. A process that was killed after its last word is done. */
export type Ending =
  | { readonly how: 'done'; readonly done: Done }
  /** It gave up and said why. */
  | { readonly how: 'failed'; readonly why: 'locked' | 'interrupted' | 'other'; readonly text: string }
  | { readonly how: 'killed' }
  /** It ended in a way in which nothing should. */
  | { readonly how: 'crashed'; readonly text: string };

export interface Place {
  readonly repository: string;
  readonly password: string;
  /** The path of stock restic. */
  readonly restic: string;
}

const HOLDFAST = fileURLToPath(new URL('holdfast-process.ts', import.meta.url));

/** Runs an errand in a process of its own, mishap included. */
export async function runErrand(errand: Errand, place: Place): Promise<Ending> {
  const run = errand.by === 'holdfast' ? startHoldfast(errand, place) : startRestic(errand.work, place);
  const closed = once(run, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  let [output, errors] = ['', ''];
  run.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  run.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const over = new AbortController();
  const { mishap } = errand;
  if (mishap !== undefined && mishap.kind !== 'storage fault') {
    // Ours counts from its first word: before that, it does nothing that could be hurt, and how long depends on the machine.
    const begun =
      errand.by === 'holdfast' ? once(run.stdout, 'data', { signal: over.signal }) : Promise.resolve();
    begun
      .then(() => delay(mishap.after, undefined, { signal: over.signal }))
      .then(
        () => run.kill(mishap.kind === 'kill -9' ? 'SIGKILL' : 'SIGINT'),
        () => undefined,
      );
  }
  const [code, signal] = await closed;
  over.abort();
  const said = { output, errors, code, signal };
  return errand.by === 'holdfast' ? readHoldfast(said) : readRestic(said, errand);
}

interface Said {
  readonly output: string;
  readonly errors: string;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

function startHoldfast({ work, mishap }: Errand, { repository, password }: Place) {
  const fault = mishap?.kind === 'storage fault' ? { fault: mishap.fault } : {};
  const orders: Orders = { repository, password, work, ...fault };
  const args = ['--disable-warning=ExperimentalWarning', HOLDFAST, JSON.stringify(orders)];
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
}

function readHoldfast({ output, errors, signal }: Said): Ending {
  const [, line = ''] = output.split('\n').slice(0, -1);
  if (line === '') return signal === null ? { how: 'crashed', text: errors } : { how: 'killed' };
  const word = JSON.parse(line) as { done: Done } | { failed: FailureCode; message: string };
  if ('done' in word) return { how: 'done', done: word.done };
  const why = whyOf(word.failed);
  return { how: 'failed', why, text: `${word.failed}: ${word.message}` };
}

function whyOf(code: FailureCode) {
  if (code === 'repository.locked') return 'locked';
  return code === 'interrupted' ? 'interrupted' : 'other';
}

function startRestic(work: Work, { repository, password, restic }: Place) {
  return spawn(restic, ['--repo', repository, '--no-cache', ...argumentsOf(work)], {
    env: { ...process.env, RESTIC_PASSWORD: password },
    cwd: work.does === 'backup' ? dirname(work.tree) : '/',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function argumentsOf(work: Work): readonly string[] {
  switch (work.does) {
    case 'backup':
      return ['backup', '--json', '--host', HOST, '--tag', work.tag, basename(work.tree)];
    case 'forget':
      return ['forget', ...work.snapshots];
    case 'prune':
      return ['prune', '--max-unused', `${work.maxUnusedPercent}%`];
    case 'check':
      return ['check', '--read-data'];
    case 'stream':
    case 'restore':
    case 'copy':
    case 'change password':
      throw new Error(`restic is not asked for: ${work.does}`);
  }
}

function readRestic({ output, errors, code, signal }: Said, { work, mishap }: Errand): Ending {
  const text = `${errors}${output}`.slice(-3000);
  if (code === 0) {
    const snapshot = work.does === 'backup' ? /"snapshot_id":"([0-9a-f]+)"/.exec(output)?.[1] : undefined;
    return { how: 'done', done: snapshot === undefined ? {} : { snapshot: snapshot as Id } };
  }
  if (signal !== null) return { how: 'killed' };
  if (/already locked|unable to create lock/.test(errors)) return { how: 'failed', why: 'locked', text };
  if (mishap?.kind === 'interrupt') return { how: 'failed', why: 'interrupted', text };
  return { how: 'crashed', text };
}
