import type { Clock, Random } from '@holdfast/engine';
import type { Environment } from '../cli/terminal.ts';
import type { Program } from '../control/worker-process.ts';
import type { OrderChannel } from '../protect/serve-orders.ts';

/** What the work itself needs of the process that it runs in; each operation asks for its part. */
export interface Machine {
  readonly clock: Clock;
  /** For jitter and sampling. */
  readonly random: Random;
  readonly environment: Environment;
  /** IANA name of the zone that a snapshot's time is written in. */
  readonly timeZone: string;
  /** Absolute. */
  readonly workingDirectory: string;
  readonly homeDirectory: string;
  readonly hostname: string;
  readonly username: string;
  readonly standardInput: AsyncIterable<Uint8Array>;
  /** Of this program. */
  readonly version: string;
  /** How this program is started once more. */
  readonly program: Program;
  /** The way to the control plane that has started this process as its worker. */
  readonly orders: OrderChannel | undefined;
}
