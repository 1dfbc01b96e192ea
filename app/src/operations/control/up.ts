import type { Failure } from '@holdfast/engine';
import { type ChannelTools, sender } from '../../alert/channel/channel.ts';
import { pinger } from '../../alert/channel/ping.ts';
import type { Work } from '../../cli/command-frame.ts';
import type { RunUp } from '../../cli/commands/up.ts';
import { formatCounted, formatDuration } from '../../cli/format.ts';
import { type ControlAudience, runControlPlane } from '../../control/control-plane.ts';
import { CurrentPolicy } from '../../control/current-policy.ts';
import { writeStatusFile } from '../../control/status-file.ts';
import type { StepEnd } from '../../control/step-runner.ts';
import { Watch } from '../../control/watch.ts';
import { startWorker } from '../../control/worker-process.ts';
import type { Policy } from '../../policy/model.ts';
import type { TakenStep } from '../../queue/run-queue.ts';
import { resolveText } from '../../secrets/resolve-secret.ts';
import { openState } from '../../state/state.ts';
import type { Machine } from '../machine.ts';
import { gatherFacts } from '../policy/gather-facts.ts';
import { goodPolicy } from './load-policy.ts';
import { policyFile, stateDirectory } from './place.ts';

export function runUp(machine: Machine): RunUp {
  return async (options, work) => {
    const { clock, random, environment, hostname, program } = machine;
    const startedAt = clock.now();
    const file = policyFile(options, machine);
    const current = await CurrentPolicy.open({
      file,
      clock,
      parse: (text) => goodPolicy(text, machine, work.signal),
    });
    const directory = stateDirectory(options, machine);
    const databaseUrl = environment['DATABASE_URL'];
    await using state = await openState({
      directory,
      clock,
      // Not ours: what is under way is ended with the memory still there.
      signal: new AbortController().signal,
      ...(databaseUrl ? { databaseUrl } : {}),
    });
    const { policy } = current.loaded;
    work.progress.note(
      `${policy.stack}: ${formatCounted(policy.sources.length, 'source')}, ` +
        `${formatCounted(policy.repositories.length, 'repository', 'repositories')}, ready in ${formatDuration(clock.now() - startedAt)}`,
      [{ type: 'event', event: 'ready', stack: policy.stack, milliseconds: clock.now() - startedAt }],
    );
    const spools = await spoolsOf(current.loaded.policy, machine, work.signal);
    const tools: ChannelTools = {
      clock,
      readValue: (reference, signal) => resolveText(reference, { environment, signal }),
    };
    const watch = new Watch({
      database: state.database,
      current,
      clock,
      random,
      who: `${hostname} ${process.pid}`,
      senderOf: (channel) => sender(channel, tools),
      ping: pinger(tools),
      spools: () => spools,
      onStatus: (status) => writeStatusFile(directory, status),
      signal: work.signal,
    });
    await runControlPlane({
      state,
      current,
      clock,
      random,
      who: `${hostname} ${process.pid}`,
      stateDirectory: directory,
      environment,
      start: (order, audience) => startWorker(program, order, audience),
      watch: () => watch.look(),
      audience: audienceOf(work, clock),
      signal: work.signal,
    });
  };
}

/** Whose spools do not survive their source's host: this machine's, where the source is here as well. */
async function spoolsOf(policy: Policy, machine: Machine, signal: AbortSignal) {
  const { sources } = await gatherFacts(policy, { machine, signal, probe: false });
  return [...sources].map(([source, { hosts }]) => ({
    source,
    onSourceHost: hosts.some(({ here }) => here),
  }));
}

function audienceOf({ progress }: Work, clock: Machine['clock']): ControlAudience {
  const tell = (line: string, record: Record<string, unknown>) =>
    progress.note(`${timeOf(clock.now())}  ${line}`, [{ type: 'event', time: clock.now(), ...record }]);
  const named = ({ run, name }: TakenStep) => `${run.kind} ${run.about}: ${name}`;
  return {
    leading: (leads) => tell(leads ? 'leading' : 'another control plane leads', { event: 'leading', leads }),
    tick: ({ queued, passedOver }) => {
      for (const { kind, about, cause } of queued) {
        if (cause !== 'schedule')
          tell(`${kind} ${about} queued: ${cause}`, { event: 'queued', kind, about, cause });
      }
      for (const { name, why } of passedOver) tell(`${name}: ${why}`, { event: 'passed-over', name, why });
    },
    began: (step) => tell(`${named(step)} …`, { event: 'began', ...recordOf(step) }),
    note: (step, line) => tell(`${named(step)}: ${line}`, { event: 'note', ...recordOf(step), line }),
    ended: (step, end) =>
      tell(`${named(step)} ${wordFor(end)}`, { event: 'ended', ...recordOf(step), ...outcomeRecord(end) }),
    policy: (outcome) =>
      outcome === 'changed'
        ? tell('the policy has changed: taken over', { event: 'policy' })
        : tell(
            `▲ the policy has changed and is refused, the old one stays: ${outcome.message}`,
            failed('policy', outcome),
          ),
    trouble: (failure) => tell(`▲ ${failure.message}`, failed('trouble', failure)),
  };
}

function wordFor(end: StepEnd): string {
  if (end === 'given back') return 'stopped; it goes on with the next start';
  if (end === 'lost') return 'was taken over by another control plane';
  if (end.state === 'failed') return `✖ ${end.failure?.message ?? 'failed'}`;
  return `${end.incomplete === true ? '▲' : '✔'} ${end.result?.summary ?? end.state}`;
}

function recordOf({ run, name, attempt }: TakenStep) {
  return { run: run.id, kind: run.kind, about: run.about, step: name, attempt };
}

function outcomeRecord(end: StepEnd): Record<string, unknown> {
  if (typeof end === 'string') return { outcome: end };
  const { state: outcome, incomplete = false, result, failure } = end;
  return { outcome, incomplete, summary: result?.summary, failure };
}

function failed(event: string, { code, message, subject, hint }: Failure): Record<string, unknown> {
  return { event, code, message, subject, hint };
}

function timeOf(now: number): string {
  return new Date(now).toISOString().slice(11, 19);
}
