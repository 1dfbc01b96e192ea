import type { PostgresRestorePlan } from '../../cli/commands/postgres/restore.ts';
import { formatBytes, formatCount, formatCounted, formatDuration } from '../../cli/format.ts';
import { wrapText } from '../../cli/paragraph.ts';
import type { CheckResult } from '../../cli/render/check-findings.ts';
import { renderStatus } from '../../cli/render/status.ts';
import { signs } from '../../cli/style.ts';
import type { Status } from '../../status/status.ts';
import type { Manifest } from '../files/manifest.ts';
import { DEMO_PASSWORD } from '../playground.ts';
import type { Audit } from '../postgres/books.ts';
import type { Stock } from '../postgres/shop.ts';
import type { Recovery } from '../postgres/shop-front.ts';
import { TILLS } from '../postgres/tills.ts';
import { INDENT, PROGRAM } from '../teller.ts';
import type { Alert } from './alert-sink.ts';
import type { LossWithOffsite, Outage, PolicySetting } from './story.ts';

export type Narrator = ReturnType<typeof narrate>;

/**
 * Tells the story: the beginning of each line before it happens, the end when it is known. All figures were measured a
 * moment ago.
 */
export function narrate({ teller, playground, servers, installation }: PolicySetting) {
  const { style, line, open, aside, more, took, home, shellWord, tell, clockTime } = teller;
  const indent = () => tell(' '.repeat(INDENT));
  const orders = (count: number) => formatCounted(count, 'order');
  const verdict = ({ found, expected, differences }: Audit) => {
    const counted = `${formatCount(found)} of ${orders(expected)}`;
    if (differences.length === 0) return `${style.good(signs.good)} ${counted}`;
    return `${style.bad(signs.bad)} ${counted}, ${formatCounted(differences.length, 'thing')} not as before`;
  };
  const sources = ({ base }: PostgresRestorePlan, until: number) => {
    const endedAt = Date.parse(base.endedAt);
    return `base of ${clockTime(endedAt)} and ${formatDuration(until - endedAt)} of journal`;
  };
  const shown = (lines: readonly string[]) => {
    line();
    for (const one of lines) line(one === '' ? '' : MARGIN + one);
    line();
  };

  return {
    begin() {
      line('Holdfast · a shop kept by one policy: lost twice, brought back, watched, and counted.\n');
    },

    openingShop() {
      open(1, 'A shop');
      tell(`PostgreSQL ${installation.version}  `);
    },

    shopOpened({ customers, products, orders, lines }: Stock, { files, bytes }: Manifest) {
      line(`in ${home(servers.place('servers'))}`);
      more(
        `${formatCount(customers)} customers, ${formatCount(products)} products, ` +
          `${formatCount(orders)} orders of ${formatCount(lines)} lines`,
      );
      more(`${formatCounted(files, 'file')}, ${formatBytes(bytes)} in ${home(playground.place('shop'))}`);
      more(`${TILLS} tills take new orders without pause, whatever happens`);
    },

    policyWritten(text: string) {
      open(2, 'A policy');
      line(home(playground.place('holdfast.yaml')));
      shown(
        text
          .trimEnd()
          .split('\n')
          .map((row) => style.quiet(row)),
      );
    },

    protecting() {
      open(3, 'Protecting');
    },

    protected(status: Status, milliseconds: number) {
      took('holdfast up, until holdfast status says:', milliseconds);
      shown(renderStatus(status, style, SCREEN));
      more('from now on no order is confirmed before the journal has it in its spool');
    },

    working() {
      open(4, 'Working');
    },

    worked(taken: number, perSecond: number, lag: number) {
      const behind = lag < 1 ? 'less than 1 ms' : formatDuration(lag);
      line(`${orders(taken)} taken, ${formatCount(perSecond)} a second now; the spool ${behind} behind them`);
    },

    dropping() {
      open(5, 'Disaster');
    },

    dropped(at: number) {
      line(`${clockTime(at)}  DROP TABLE orders CASCADE;   (somebody meant staging)`);
      open(undefined, 'Recovery');
    },

    undoing(plan: PostgresRestorePlan, to: number) {
      line(`to ${clockTime(to)}: ${sources(plan, to)}`);
      indent();
    },

    undone({ struckAt, audit, closed }: Recovery) {
      took(`${verdict(audit)}, the last ${formatDuration(struckAt - audit.newest)} before the drop`, closed);
    },

    cuttingPower() {
      open(6, 'Disaster');
    },

    powerCut(at: number) {
      line(`${clockTime(at)}  power cut: the server is killed, and its directory is gone`);
      open(undefined, 'Recovery');
    },

    rebuilding(plan: PostgresRestorePlan, struckAt: number) {
      line(`to the last commit, from the spool: ${sources(plan, struckAt)}`);
      indent();
    },

    rebuilt({ audit, closed }: Recovery) {
      took(`${verdict(audit)}: all that were ever confirmed`, closed);
    },

    tryingOffsiteAlone() {
      indent();
      tell('with the offsite copy alone: ');
    },

    triedOffsiteAlone({ orders: lost, milliseconds }: LossWithOffsite) {
      line(`the last ${orders(lost)}, ${formatDuration(milliseconds)}, would be gone`);
    },

    failing() {
      open(7, 'Failure');
    },

    failed(at: number, invoices: number) {
      line(`${clockTime(at)}  the offsite disk is unplugged; the office writes ${invoices} invoices`);
      open(undefined, 'Alert');
    },

    told({ severity, message }: Alert, milliseconds: number, status: Status) {
      took(`${severity}, to the webhook:`, milliseconds);
      for (const row of wrapText(`“${message}”`, SCREEN - INDENT)) more(row);
      shown(renderTrouble(status));
    },

    mended() {
      open(undefined, 'Repaired');
    },

    goodAgain({ kind }: Alert, { verdict }: Status, milliseconds: number) {
      took(
        `${style.good(signs.good)} plugged in again: the webhook hears “${kind}”, status is ${verdict}`,
        milliseconds,
      );
    },

    closing() {
      open(8, 'Closing time');
    },

    closed(taken: number, audit: Audit, { pages, differences }: FilesBack) {
      line('the building burns down, and only the offsite copy is left');
      open(undefined, 'Recovery');
      const sums = audit.differences.length === 0 ? '; totals and stock add up' : '';
      line(`${verdict(audit)}, ${formatCount(taken)} of them taken today${sums}`);
      const files = `${formatCount(pages.files)} of ${formatCounted(pages.files, 'file')}, ${formatBytes(pages.bytes)}`;
      more(
        differences.length === 0
          ? `${style.good(signs.good)} ${files}, the invoices among them: every byte compared`
          : `${style.bad(signs.bad)} ${formatCounted(differences.length, 'thing')} did not come back as before`,
      );
    },

    checking() {
      open(9, 'Check');
    },

    checked({ sound, checked, milliseconds }: CheckResult) {
      const read = `${formatBytes(checked.bytesRead)} read, ${formatCounted(checked.blobs, 'piece')} authenticated`;
      took(`${sound ? style.good(signs.good) : style.bad(signs.bad)} ${read}`, milliseconds);
    },

    end({ undone, rebuilt, loss, outage }: Ending) {
      const offsite = shellWord(playground.place('offsite'));
      const { audit } = rebuilt;
      line();
      aside('Measured', `RPO  ${orders(audit.expected - audit.found)} with the spool`);
      more(`     ${orders(loss.orders)}, ${formatDuration(loss.milliseconds)}, with the offsite copy alone`);
      more(
        `RTO  ${formatDuration(undone.closed)} and ${formatDuration(rebuilt.closed)}, ` +
          'from the disaster to the next order',
      );
      more(`told of a failure after ${formatDuration(outage.told)}`);
      aside('Not shown', 'all of this shared one machine and disk: your spool and last copy must not');
      aside('Stock restic', `RESTIC_PASSWORD=${DEMO_PASSWORD} restic -r ${offsite} snapshots`);
      aside('Look around', `HOLDFAST_PASSWORD=${DEMO_PASSWORD} ${PROGRAM} points --repo ${offsite}`);
      aside('Next', `${PROGRAM} policy check   says what is wrong with a holdfast.yaml of yours`);
    },
  };

  /** The headline, and what is not good. */
  function renderTrouble(status: Status): string[] {
    const bad = ({ verdict }: { readonly verdict: string }) => verdict !== 'good';
    const rest = {
      ...status,
      sources: status.sources.filter(bad),
      repositories: status.repositories.filter(bad),
      copies: status.copies.filter(bad),
    };
    return [
      ...renderStatus(status, style, SCREEN).slice(0, 1),
      ...renderStatus(rest, style, SCREEN).slice(1),
    ];
  }
}

interface FilesBack {
  readonly pages: Manifest;
  readonly differences: readonly string[];
}

interface Ending {
  readonly undone: Recovery;
  readonly rebuilt: Recovery;
  readonly loss: LossWithOffsite;
  readonly outage: Outage;
}

/** What is quoted stands under the titles. */
const MARGIN = '    ';
const SCREEN = 92;
