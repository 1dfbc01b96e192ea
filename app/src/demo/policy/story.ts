import { cp, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, openPosix } from '@holdfast/engine';
import type { Work } from '../../cli/command-frame.ts';
import type { CommandParts } from '../../cli/command-table.ts';
import type { PolicySummary } from '../../cli/commands/demo.ts';
import type { CheckResult } from '../../cli/render/check-findings.ts';
import type { RepositoryAccess } from '../../cli/repository-options.ts';
import { Secret } from '../../cli/secret.ts';
import type { Machine } from '../../operations/machine.ts';
import { measureDirectory } from '../directory-size.ts';
import { compareManifests, describeTree, type Manifest } from '../files/manifest.ts';
import { DEMO_PASSWORD, type Place, type Playground } from '../playground.ts';
import type { Installation } from '../postgres/installation.ts';
import { type Recovery, ShopFront } from '../postgres/shop-front.ts';
import type { Teller } from '../teller.ts';
import { AlertSink } from './alert-sink.ts';
import { ControlPlane } from './control-plane.ts';
import { type Narrator, narrate } from './narrator.ts';
import { fillPages, writeInvoices } from './pages.ts';
import { COPY, JOURNAL, JOURNAL_RPO, ORDERS, PAGES, policyText } from './policy-file.ts';

/** What the story does itself, it does through the same operations as the commands. */
export type PolicyParts = Pick<
  CommandParts,
  | 'initRepository'
  | 'keepJournal'
  | 'listBases'
  | 'listPoints'
  | 'planPostgresRestore'
  | 'planRestore'
  | 'checkRepository'
  | 'readStatus'
>;

export interface PolicySetting {
  readonly playground: Playground;
  readonly teller: Teller;
  readonly machine: Pick<Machine, 'program' | 'environment' | 'homeDirectory'>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly installation: Installation;
  /** Where the data of servers go, and what the control plane remembers. */
  readonly servers: Playground;
}

/** A shop's database and files are kept by one policy, while it takes orders and things go wrong. */
export async function tellPolicyStory(parts: PolicyParts, setting: PolicySetting): Promise<PolicySummary> {
  await using ends = new AsyncDisposableStack();
  return await new Story(parts, setting, ends).play();
}

/** What would be lost with nothing left but the offsite copy. */
export interface LossWithOffsite {
  readonly orders: number;
  /** Between the last order that it has and the disaster. */
  readonly milliseconds: number;
}

/** How long it took until a failure was told, and until all was good again, in milliseconds. */
export interface Outage {
  readonly told: number;
  readonly good: number;
}

class Story {
  readonly #parts: PolicyParts;
  readonly #setting: PolicySetting;
  /** What must not outlive the story: servers, tills, control planes; ended in the reverse order. */
  readonly #ends: AsyncDisposableStack;
  readonly #narrator: Narrator;
  readonly #work: Work;
  readonly #posix = openPosix();
  #invoicesAt = 0;

  constructor(parts: PolicyParts, setting: PolicySetting, ends: AsyncDisposableStack) {
    this.#parts = parts;
    this.#setting = setting;
    this.#ends = ends;
    this.#narrator = narrate(setting);
    this.#work = { signal: setting.signal, progress: { watch: () => {}, note: () => {} } };
  }

  async play(): Promise<PolicySummary> {
    const { clock, installation, playground } = this.#setting;
    this.#narrator.begin();
    const sink = this.#ends.use(await AlertSink.open(clock));
    const shop = await this.#openShop();
    await this.#writePolicy(shop, sink);
    const { plane, green } = await this.#protect(shop);
    await this.#trade(shop);
    const undone = await this.#undoDrop(shop);
    await this.#tradeOn();
    const rebuilt = await this.#survivePowerCut(shop, plane);
    const loss = await this.#tryOffsiteAlone(shop, rebuilt.recovery);
    const outage = await this.#loseOffsite(rebuilt.plane, sink);
    const last = await this.#closeShop(shop, rebuilt.plane);
    const check = await this.#check();
    this.#narrator.end({ undone, rebuilt: rebuilt.recovery, loss, outage });
    const { found, expected } = rebuilt.recovery.audit;
    return {
      story: 'policy',
      serverVersion: installation.version,
      repositoryBytes: measureDirectory(playground.place('main')),
      green,
      drop: summaryOf(undone),
      powerCut: summaryOf(rebuilt.recovery),
      lost: { withSpool: { orders: expected - found }, withOffsite: loss },
      outage,
      offsite: { orders: last.expected, restored: last.found, files: last.files },
      check: check.milliseconds,
      differences: [
        ...undone.audit.differences,
        ...rebuilt.recovery.audit.differences,
        ...last.differences,
        ...errorsOf(check),
      ],
    };
  }

  async #openShop(): Promise<ShopFront> {
    const { playground, installation, servers, clock } = this.#setting;
    const { planPostgresRestore } = this.#parts;
    this.#narrator.openingShop();
    fillPages(playground.place('shop'));
    const setting = { planPostgresRestore, installation, servers, clock, work: this.#work };
    const shop = this.#ends.use(await ShopFront.open(setting));
    this.#narrator.shopOpened(shop.stock, await this.#describe(playground.place('shop')));
    return shop;
  }

  async #writePolicy(shop: ShopFront, sink: AlertSink): Promise<void> {
    const { playground, machine } = this.#setting;
    const asWritten = (name: Place) => {
      const path = playground.place(name);
      const home = `${machine.homeDirectory}/`;
      return path.startsWith(home) ? `~/${path.slice(home.length)}` : path;
    };
    const text = policyText({
      main: asWritten('main'),
      offsite: asWritten('offsite'),
      passwordFile: asWritten('password'),
      serverUrl: shop.port.url,
      folder: asWritten('shop'),
      alertUrl: sink.url,
    });
    await writeFile(playground.place('password'), `${DEMO_PASSWORD}\n`, { mode: 0o600 });
    await writeFile(playground.place('holdfast.yaml'), text);
    this.#narrator.policyWritten(text);
    const main = this.#access('main');
    await this.#parts.initRepository(main, { repositoryVersion: 'stable' }, this.#work);
    const cut = { cutLike: main, copyChunkerParams: true } as const;
    await this.#parts.initRepository(
      this.#access('offsite'),
      { repositoryVersion: 'stable', ...cut },
      this.#work,
    );
  }

  async #protect(shop: ShopFront): Promise<{ plane: ControlPlane; green: number }> {
    const { clock } = this.#setting;
    this.#narrator.protecting();
    // Before the base: a server that is restored from it has the same configuration.
    await shop.demandJournal(JOURNAL);
    const startedAt = clock.now();
    const plane = await this.#startPlane();
    const status = await plane.judges(({ verdict }) => verdict === 'good');
    const green = clock.now() - startedAt;
    this.#narrator.protected(status, green);
    return { plane, green };
  }

  async #trade(shop: ShopFront): Promise<void> {
    const { clock, signal } = this.#setting;
    this.#narrator.working();
    const [startedAt, before] = [clock.now(), shop.tills.taken];
    await clock.sleep(TRADING, signal);
    const perSecond = ((shop.tills.taken - before) / (clock.now() - startedAt)) * 1000;
    this.#narrator.worked(shop.tills.taken, perSecond, await shop.journalLag(JOURNAL));
  }

  /** The journal goes on meanwhile: it finds the restored server at the old one's address, and follows its timeline. */
  async #undoDrop(shop: ShopFront): Promise<Recovery> {
    this.#narrator.dropping();
    const struckAt = await shop.dropOrders();
    this.#narrator.dropped(struckAt);
    await shop.bringBack({
      to: new Date(struckAt).toISOString(),
      name: 'restored',
      access: this.#access('main'),
      onPlan: (plan) => this.#narrator.undoing(plan, struckAt),
    });
    await shop.stopServer();
    const recovery = await shop.reopen('restored', struckAt);
    this.#narrator.undone(recovery);
    return recovery;
  }

  /**
   * Until the offsite copy has something of the restored server: before that the last moment that it knows alone is the one
   * after the drop.
   */
  async #tradeOn(): Promise<void> {
    const { clock, signal } = this.#setting;
    const reopenedAt = clock.now();
    for (;;) {
      await clock.sleep(LOOK_EVERY, signal);
      const { bases } = await this.#parts.listBases(this.#access('offsite'), {}, this.#work);
      const until = bases.map((base) => Date.parse(base.until?.time ?? base.endedAt));
      if (Math.max(...until) > reopenedAt) return;
    }
  }

  /** The machine that is lost is the server's: what `up` has in its spool is carried into the repository by hand, as one would. */
  async #survivePowerCut(shop: ShopFront, before: ControlPlane) {
    const { playground, clock } = this.#setting;
    this.#narrator.cuttingPower();
    const struckAt = clock.now();
    await shop.losePower('restored');
    this.#narrator.powerCut(struckAt);
    await before.stop();
    // As of this moment, to see later what it is worth alone.
    await cp(playground.place('offsite'), playground.place('offsite-then'), { recursive: true });
    await this.#drainSpool(shop);
    await shop.bringBack({
      to: 'latest',
      name: 'rebuilt',
      access: this.#access('main'),
      onPlan: (plan) => this.#narrator.rebuilding(plan, struckAt),
    });
    const plane = await this.#startPlane();
    const recovery = await shop.reopen('rebuilt', struckAt);
    this.#narrator.rebuilt(recovery);
    return { recovery, plane };
  }

  /** `holdfast postgres journal --drain`. */
  async #drainSpool({ port }: ShopFront): Promise<void> {
    const request = {
      url: port.url,
      spool: join(this.#stateDirectory, 'journal', ORDERS),
      rpo: JOURNAL_RPO,
      slot: JOURNAL,
      name: JOURNAL,
      baseAfterGap: false,
      checkpoint: 'fast',
      tag: [[`source:${ORDERS}`]],
      drain: true,
    } as const;
    await this.#parts.keepJournal(this.#access('main'), request, this.#work);
  }

  /** What would have been lost if nothing but the offsite copy had survived, as it was when the power was cut. */
  async #tryOffsiteAlone(shop: ShopFront, { struckAt, audit }: Recovery): Promise<LossWithOffsite> {
    this.#narrator.tryingOffsiteAlone();
    await shop.bringBack({ to: 'latest', name: 'alone', access: this.#access('offsite-then') });
    const { found, newest } = await shop.countBeside('alone', audit.expected);
    const loss = { orders: audit.expected - found, milliseconds: struckAt - newest };
    this.#narrator.triedOffsiteAlone(loss);
    return loss;
  }

  /** The offsite repository is not there for a while, and the office writes invoices. */
  async #loseOffsite(plane: ControlPlane, sink: AlertSink): Promise<Outage> {
    const { playground, clock, signal } = this.#setting;
    await plane.judges(({ verdict }) => verdict === 'good');
    this.#narrator.failing();
    const failedAt = clock.now();
    await rename(playground.place('offsite'), playground.place('offsite-unplugged'));
    const written = writeInvoices(playground.place('shop'));
    this.#invoicesAt = clock.now();
    this.#narrator.failed(failedAt, written);
    const alert = await sink.hears(
      ({ about, code, kind }) => about === COPY && code === 'run.failed' && kind !== 'resolved',
      failedAt,
      signal,
    );
    const status = await plane.judges(({ copies }) =>
      copies.some(({ problems }) => problems.some(({ code }) => code === 'run.failed')),
    );
    this.#narrator.told(alert, alert.receivedAt - failedAt, status);
    const mendedAt = clock.now();
    await rename(playground.place('offsite-unplugged'), playground.place('offsite'));
    this.#narrator.mended();
    const end = await sink.hears(
      ({ incident, kind }) => incident === alert.incident && kind === 'resolved',
      mendedAt,
      signal,
    );
    const good = await plane.judges(({ at, verdict }) => at >= mendedAt && verdict === 'good');
    this.#narrator.goodAgain(end, good, clock.now() - mendedAt);
    return { told: alert.receivedAt - failedAt, good: clock.now() - mendedAt };
  }

  /** The tills stop, and when the offsite copy has all of it, everything is brought back from there alone. */
  async #closeShop(shop: ShopFront, plane: ControlPlane) {
    const { playground } = this.#setting;
    this.#narrator.closing();
    const closedAt = await shop.close();
    const pages = await this.#describe(playground.place('shop'));
    const access = this.#access('offsite');
    await shop.bringBack({ to: new Date(closedAt).toISOString(), name: 'offsite', access });
    const snapshot = await this.#untilPagesAreThere(access);
    await plane.stop();
    const audit = await shop.countBeside('offsite', shop.tills.confirmed.size);
    const target = playground.place('older');
    const request = { snapshot, target, overwrite: 'always', ownership: true } as const;
    await using planned = await this.#parts.planRestore(access, request, this.#work);
    const { failed } = await planned.execute(this.#work);
    const differences = [
      ...failed.map(({ path, message }) => `${path}: ${message}`),
      ...compareManifests(pages, await this.#describe(join(target, playground.place('shop')))),
    ];
    await playground.clear('older');
    this.#narrator.closed(shop.tills.taken, audit, { pages, differences });
    return { ...audit, files: pages.files, differences: [...audit.differences, ...differences] };
  }

  /** Answers the id of a snapshot at the offsite copy that has the invoices: one that was taken after they were written. */
  async #untilPagesAreThere(access: RepositoryAccess): Promise<string> {
    const { clock, signal } = this.#setting;
    for (;;) {
      const request = { tag: [[`source:${PAGES}`]], snapshots: [] };
      const points = await this.#parts.listPoints(access, request, this.#work);
      const found = points.find(({ time }) => Date.parse(time) > this.#invoicesAt);
      if (found !== undefined) return found.id;
      await clock.sleep(LOOK_EVERY, signal);
    }
  }

  async #check(): Promise<CheckResult> {
    this.#narrator.checking();
    const check = await this.#parts.checkRepository(this.#access('offsite'), { readData: true }, this.#work);
    this.#narrator.checked(check);
    return check;
  }

  async #startPlane(): Promise<ControlPlane> {
    const { playground, machine, clock, signal } = this.#setting;
    const { readStatus } = this.#parts;
    const plane = await ControlPlane.start({
      machine,
      readStatus,
      stateDirectory: this.#stateDirectory,
      policyFile: playground.place('holdfast.yaml'),
      clock,
      signal,
    });
    return this.#ends.use(plane);
  }

  get #stateDirectory(): string {
    return this.#setting.servers.place('state');
  }

  #access(name: 'main' | 'offsite' | 'offsite-then'): RepositoryAccess {
    return {
      location: this.#setting.playground.place(name),
      password: new Secret(DEMO_PASSWORD),
      cacheDirectory: undefined,
      lock: true,
      retryLock: LONGEST_LOCK,
    };
  }

  #describe(directory: string): Promise<Manifest> {
    return describeTree(directory, this.#posix, this.#setting.signal);
  }
}

function summaryOf({ closed, audit }: Recovery): PolicySummary['drop'] {
  return { orders: audit.expected, restored: audit.found, rto: closed };
}

function errorsOf({ findings }: CheckResult): string[] {
  return findings
    .filter(({ severity }) => severity === 'error')
    .map(({ subject, message }) => `${subject}: ${message}`);
}

/** Milliseconds, so that there is something to lose. */
const TRADING = 3000;
const LOOK_EVERY = 200;
/** Others work on the same repositories. */
const LONGEST_LOCK = 30_000;
