/** The composition root: the only place that touches the process. */

import { closeSync, openSync, readFileSync } from 'node:fs';
import { homedir, hostname, userInfo } from 'node:os';
import { systemClock } from '@holdfast/engine';
import { commandTable } from './cli/command-table.ts';
import { consentPrompt } from './cli/consent.ts';
import type { Output } from './cli/context.ts';
import { listenForInterrupts } from './cli/interrupt.ts';
import { secretPrompt } from './cli/password-prompt.ts';
import { runProgram } from './cli/program.ts';
import { describeTerminal } from './cli/terminal.ts';
import { operations } from './operations/operations.ts';
import type { OrderChannel } from './protect/serve-orders.ts';
import type { ToWorker } from './protect/worker-messages.ts';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

// Whoever reads our output may have seen enough (`holdfast points | head`): that is no failure.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    throw error;
  });
}

const stdout = outputTo(process.stdout);
const stderr = outputTo(process.stderr);
const signal = listenForInterrupts(process, { exit: (code) => process.exit(code), hasTerminal });
const canAsk = process.stdin.isTTY === true && process.stderr.isTTY === true;

const surroundings = {
  environment: process.env,
  homeDirectory: homedir(),
  timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  clock: systemClock,
};
const machine = {
  ...surroundings,
  random: Math.random,
  workingDirectory: process.cwd(),
  hostname: hostname(),
  username: userInfo().username,
  standardInput: process.stdin,
  version,
  program: [process.execPath, ...process.execArgv, process.argv[1] ?? ''] as const,
  orders: process.send === undefined ? undefined : orderChannel(process),
};

process.exitCode = await runProgram(
  process.argv.slice(2),
  {
    ...surroundings,
    stdout,
    stderr,
    signal,
    askSecret: canAsk
      ? secretPrompt(process.stdin, stderr, () => process.kill(process.pid, 'SIGINT'))
      : undefined,
    askConsent: canAsk ? consentPrompt(process.stdin, stderr) : undefined,
  },
  { version, registrations: commandTable(operations(machine)) },
);

/** Opening it fails once the terminal that controls this process is gone, and where there never was one. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}

function outputTo(stream: NodeJS.WriteStream): Output {
  return {
    get terminal() {
      return describeTerminal(stream, process.env);
    },
    write(text) {
      stream.write(text);
    },
    writeBytes: (bytes) =>
      new Promise((resolve, reject) => stream.write(bytes, (error) => (error ? reject(error) : resolve()))),
  };
}

/** The way to the control plane, for a worker; it does not keep this process alive once the work is done. */
function orderChannel(worker: NodeJS.Process): OrderChannel {
  return {
    send: (message) =>
      new Promise((resolve) => {
        if (worker.send === undefined) resolve();
        else worker.send(message, () => resolve());
      }),
    listen(hear) {
      worker.on('message', (message) => hear(message as ToWorker));
      worker.once('disconnect', () => hear(undefined));
    },
    close() {
      if (worker.connected) worker.disconnect?.();
    },
  };
}
