import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, isFailure } from '@holdfast/engine';
import type { Client } from 'pg';
import type { Work } from '../../cli/command-frame.ts';
import type { CommandParts } from '../../cli/command-table.ts';
import type { PostgresSummary } from '../../cli/commands/demo.ts';
import type { BaseSummary } from '../../cli/commands/postgres/backup.ts';
import type { PostgresRestorePlan } from '../../cli/commands/postgres/restore.ts';
import type { CheckResult } from '../../cli/render/check-findings.ts';
import type { RepositoryAccess } from '../../cli/repository-options.ts';
import { measureDirectory } from '../directory-size.ts';
import type { Playground } from '../playground.ts';
import type { Teller } from '../teller.ts';
import { type Audit, auditBooks, type Books, readBooks } from './books.ts';
import type { Installation } from './installation.ts';
import { drainSpool, JOURNAL_NAME, type JournalSetting, RunningJournal } from './journal.ts';
import { type Narrator, narrate } from './narrator.ts';
import { DemoServer, makeCluster, openPort, type Port, type ServerOptions, withClient } from './server.ts';
import { fillShop, type Stock } from './shop.ts';
import { Tills } from './tills.ts';

/** What the story does, it does through the same operations as the commands. */
export type PostgresParts = Pick<
  CommandParts,
  'initRepository' | 'backUpBase' | 'keepJournal' | 'listBases' | 'planPostgresRestore' | 'checkRepository'
>;

export interface PostgresSetting {
  readonly playground: Playground;
  readonly access: RepositoryAccess;
  readonly teller: Teller;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly installation: Installation;
  /** Where the servers' data go. */
  readonly servers: Playground;
}

/** A shop on a real server loses a table, and then the whole server, while it takes orders. */
export async function tellPostgresStory(
  parts: PostgresParts,
  setting: PostgresSetting,
): Promise<PostgresSummary> {
  await using ends = new AsyncDisposableStack();
  return await new Story(parts, setting, ends).play();
}

/** A disaster, and what came back of it. */
export interface Recovery {
  /** When it struck, milliseconds since the epoch. */
  readonly struckAt: number;
  /** From then until the shop took an order again, in milliseconds. */
  readonly closed: number;
  readonly audit: Audit;
}

/** What the repository brings back without the spool. */
export interface LossWithoutSpool {
  readonly orders: number;
  /** Between the last order that the repository has and the disaster. */
  readonly milliseconds: number;
}

/** Each data directory of the story, below the place for servers. */
type ServerName = 'first' | 'restored' | 'rebuilt' | 'alone';

class Story {
  readonly #parts: PostgresParts;
  readonly #setting: PostgresSetting;
  /** What must not outlive the story: servers, tills, journals; ended in the reverse order. */
  readonly #ends: AsyncDisposableStack;
  readonly #narrator: Narrator;
  readonly #work: Work;

  constructor(parts: PostgresParts, setting: PostgresSetting, ends: AsyncDisposableStack) {
    this.#parts = parts;
    this.#setting = setting;
    this.#ends = ends;
    this.#narrator = narrate(setting);
    this.#work = { signal: setting.signal, progress: { watch: () => {}, note: () => {} } };
  }

  async play(): Promise<PostgresSummary> {
    const { access, clock, installation } = this.#setting;
    this.#narrator.begin();
    const port = this.#ends.use(await openPort(installation.account));
    const { server, stock } = await this.#openShop(port);
    const tills = this.#ends.use(new Tills(port, stock, clock));
    const { base, journal } = await this.#protect(port);
    await this.#trade(tills, journal);
    const undone = await this.#undoDrop(port, server, tills);
    await this.#tradeOn();
    const rebuilt = await this.#survivePowerCut(port, undone.server, tills, journal);
    const withoutSpool = await this.#tryWithoutSpool(rebuilt.recovery, tills);
    const last = await this.#closeShop(port, tills, rebuilt.journal);
    const check = await this.#check();
    this.#narrator.end({ undone: undone.recovery, rebuilt: rebuilt.recovery, withoutSpool });
    const { found, expected } = rebuilt.recovery.audit;
    return {
      story: 'postgres',
      serverVersion: installation.version,
      repositoryBytes: measureDirectory(access.location),
      base: base.milliseconds,
      drop: summaryOf(undone.recovery),
      powerCut: summaryOf(rebuilt.recovery),
      lost: { withSpool: { orders: expected - found }, withoutSpool },
      check: check.milliseconds,
      differences: [
        ...undone.recovery.audit.differences,
        ...rebuilt.recovery.audit.differences,
        ...last.differences,
        ...errorsOf(check),
      ],
    };
  }

  async #openShop(port: Port): Promise<{ server: DemoServer; stock: Stock }> {
    this.#narrator.openingShop();
    await makeCluster(this.#serverOptions('first', port));
    const server = await this.#start('first', port);
    const stock = await withClient(port, this.#setting.signal, fillShop);
    this.#narrator.shopOpened(stock);
    return { server, stock };
  }

  async #protect(port: Port): Promise<{ base: BaseSummary; journal: RunningJournal }> {
    const { access, signal } = this.#setting;
    this.#narrator.protecting();
    await this.#parts.initRepository(access, { repositoryVersion: 'stable' }, this.#work);
    const journal = this.#startJournal(port);
    await withClient(port, signal, async (client) => {
      await client.query(`ALTER SYSTEM SET synchronous_standby_names = '${JOURNAL_NAME}'`);
      await client.query('SELECT pg_reload_conf()');
    });
    await journal.untilSynchronous();
    this.#narrator.journalRuns();
    const request = { url: port.url, checkpoint: 'fast', compression: 'auto', evidence: false } as const;
    const base = await this.#parts.backUpBase(access, request, this.#work);
    this.#narrator.protected(base, measureDirectory(access.location));
    return { base, journal };
  }

  async #trade(tills: Tills, journal: RunningJournal): Promise<void> {
    const { clock, signal } = this.#setting;
    this.#narrator.working();
    const [startedAt, before] = [clock.now(), tills.taken];
    await clock.sleep(TRADING, signal);
    const perSecond = ((tills.taken - before) / (clock.now() - startedAt)) * 1000;
    this.#narrator.worked(tills.taken, perSecond, await journal.lag());
  }

  /** The journal goes on meanwhile: it finds the restored server at the old one's address, and follows its timeline. */
  async #undoDrop(port: Port, server: DemoServer, tills: Tills) {
    this.#narrator.dropping();
    const struckAt = await withClient(port, this.#setting.signal, dropOrders);
    this.#narrator.dropped(struckAt);
    await this.#bringBack(new Date(struckAt).toISOString(), 'restored', (plan) =>
      this.#narrator.undoing(plan, struckAt),
    );
    await server.stop();
    const reopened = await this.#reopen('restored', { port, tills, struckAt });
    this.#narrator.undone(reopened.recovery);
    return reopened;
  }

  /**
   * Until the repository has something of the restored server: before that the last moment that it knows alone is the one after
   * the drop.
   */
  async #tradeOn(): Promise<void> {
    const { access, clock, signal } = this.#setting;
    const reopenedAt = clock.now();
    for (;;) {
      await clock.sleep(TRADING_BETWEEN, signal);
      const { bases } = await this.#parts.listBases(access, {}, this.#work);
      const until = bases.map((base) => Date.parse(base.until?.time ?? base.endedAt));
      if (Math.max(...until) > reopenedAt) return;
    }
  }

  async #survivePowerCut(port: Port, server: DemoServer, tills: Tills, journal: RunningJournal) {
    const { playground, servers, access, clock } = this.#setting;
    this.#narrator.cuttingPower();
    const struckAt = clock.now();
    await server.kill();
    await servers.clear('servers', 'restored');
    this.#narrator.powerCut(struckAt);
    await journal.stop();
    // As of this moment, to see later what it is worth alone.
    await cp(access.location, playground.place('repository-alone'), { recursive: true });
    await drainSpool(this.#journalSetting(port));
    await this.#bringBack('latest', 'rebuilt', (plan) => this.#narrator.rebuilding(plan, struckAt));
    const next = this.#startJournal(port);
    const { recovery } = await this.#reopen('rebuilt', { port, tills, struckAt });
    this.#narrator.rebuilt(recovery);
    return { recovery, journal: next };
  }

  /** Starts a restored server where the tills look for one, waits for their next order, and counts what came back. */
  async #reopen(name: ServerName, { port, tills, struckAt }: { port: Port; tills: Tills; struckAt: number }) {
    const { clock, signal } = this.#setting;
    // What is confirmed from here on, the restored server has confirmed itself.
    const confirmed = new Set(tills.confirmed);
    const server = await this.#start(name, port);
    await tills.untilConfirmed(1, signal);
    const closed = clock.now() - struckAt;
    const books = await this.#readBooks(port);
    const audit = auditBooks(books, { confirmed, refused: tills.refused, last: tills.last });
    return { server, recovery: { struckAt, closed, audit } satisfies Recovery };
  }

  /** What would have been lost if nothing but the repository had survived, as it was when the power was cut. */
  async #tryWithoutSpool({ struckAt, audit }: Recovery, tills: Tills): Promise<LossWithoutSpool> {
    const { playground, access, installation } = this.#setting;
    this.#narrator.tryingWithoutSpool();
    const alone = { ...access, location: playground.place('repository-alone') };
    await this.#bringBack('latest', 'alone', () => {}, alone);
    await using port = await openPort(installation.account);
    await using _server = await DemoServer.start(this.#serverOptions('alone', port));
    // A set keeps the order in which its members came.
    const confirmed = new Set([...tills.confirmed].slice(0, audit.expected));
    const { found, newest } = auditBooks(await this.#readBooks(port), {
      confirmed,
      refused: tills.refused,
      last: tills.last,
    });
    const loss = { orders: audit.expected - found, milliseconds: struckAt - newest };
    this.#narrator.triedWithoutSpool(loss);
    return loss;
  }

  /** The tills stop, the rest of the journal goes into the repository, and all is counted once more. */
  async #closeShop(port: Port, tills: Tills, journal: RunningJournal): Promise<Audit> {
    this.#narrator.closing();
    await tills[Symbol.asyncDispose]();
    await journal.stop();
    await drainSpool(this.#journalSetting(port));
    const audit = auditBooks(await this.#readBooks(port), tills);
    this.#narrator.closed(tills.taken, audit);
    return audit;
  }

  /** Resolves when a server can be started on it, which is as of `to`. */
  async #bringBack(
    to: string,
    name: ServerName,
    onPlan: (plan: PostgresRestorePlan) => void,
    access = this.#setting.access,
  ): Promise<void> {
    const { servers, clock, signal } = this.#setting;
    const target = join(servers.place('servers'), name);
    const request = { target, to, action: 'promote', start: true } as const;
    for (;;) {
      try {
        await using planned = await this.#parts.planPostgresRestore(access, request, this.#work);
        onPlan(planned.plan);
        await planned.execute(this.#work);
        return;
      } catch (error) {
        // The journal brings that moment into the repository within its RPO.
        if (!isFailure(error, 'point.unreachable')) throw error;
        await clock.sleep(LOOK_EVERY, signal);
      }
    }
  }

  async #check(): Promise<CheckResult> {
    this.#narrator.checking();
    const check = await this.#parts.checkRepository(this.#setting.access, { readData: true }, this.#work);
    this.#narrator.checked(check);
    return check;
  }

  #readBooks(port: Port): Promise<Books> {
    return withClient(port, this.#setting.signal, readBooks);
  }

  async #start(name: ServerName, port: Port): Promise<DemoServer> {
    return this.#ends.use(await DemoServer.start(this.#serverOptions(name, port)));
  }

  #startJournal(port: Port): RunningJournal {
    return this.#ends.use(new RunningJournal(this.#journalSetting(port)));
  }

  #journalSetting(port: Port): JournalSetting {
    const { playground, access, clock, signal } = this.#setting;
    const { keepJournal } = this.#parts;
    return { keepJournal, access, port, clock, signal, spool: playground.place('spool') };
  }

  #serverOptions(name: ServerName, port: Port): ServerOptions {
    const { installation, servers, clock, signal } = this.#setting;
    return { installation, port, clock, signal, dataDirectory: join(servers.place('servers'), name) };
  }
}

/**
 * Answers a moment, in milliseconds since the epoch, before the drop and after every order that was confirmed. The drop waits
 * for the orders that are being taken, and holds up all others until it is committed.
 */
async function dropOrders(client: Client): Promise<number> {
  await client.query('BEGIN');
  await client.query('DROP TABLE orders CASCADE');
  // A moment is given in milliseconds: the last order must be in an earlier one.
  await client.query('SELECT pg_sleep(0.002)');
  const { rows } = await client.query<{ now: number }>(
    'SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now',
  );
  await client.query('COMMIT');
  return rows[0]?.now ?? 0;
}

function summaryOf({ closed, audit }: Recovery): PostgresSummary['drop'] {
  return { orders: audit.expected, restored: audit.found, rto: closed };
}

function errorsOf({ findings }: CheckResult): string[] {
  return findings
    .filter(({ severity }) => severity === 'error')
    .map(({ subject, message }) => `${subject}: ${message}`);
}

/** Milliseconds, so that there is something to lose, and between the disasters something that only the journal has. */
const TRADING = 4000;
const TRADING_BETWEEN = 2500;
const LOOK_EVERY = 100;
