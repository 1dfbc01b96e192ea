import { type ChannelTools, sender } from '../../alert/channel/channel.ts';
import { pinger } from '../../alert/channel/ping.ts';
import type { RunUp } from '../../cli/commands/up.ts';
import { runControlPlane } from '../../control/control-plane.ts';
import { CurrentPolicy } from '../../control/current-policy.ts';
import { writeStatusFile } from '../../control/status-file.ts';
import { Watch } from '../../control/watch.ts';
import { startWorker } from '../../control/worker-process.ts';
import type { Policy } from '../../policy/model.ts';
import { resolveText } from '../../secrets/resolve-secret.ts';
import { openState } from '../../state/state.ts';
import type { Machine } from '../machine.ts';
import { gatherFacts } from '../policy/gather-facts.ts';
import { goodPolicy } from './load-policy.ts';
import { policyFile, stateDirectory } from './place.ts';
import { UpStory } from './up-story.ts';

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
    const { verbose = false } = options;
    const { progress } = work;
    const story = new UpStory({ progress, now: () => clock.now(), loaded: () => current.loaded, verbose });
    story.ready(clock.now() - startedAt);
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
      onTrouble: (failure) => story.trouble(failure),
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
      hurry: () => watch.hurry(),
      audience: story,
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
