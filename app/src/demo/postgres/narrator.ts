import type { BaseSummary } from '../../cli/commands/postgres/backup.ts';
import type { PostgresRestorePlan } from '../../cli/commands/postgres/restore.ts';
import { formatBytes, formatCount, formatCounted, formatDuration } from '../../cli/format.ts';
import type { CheckResult } from '../../cli/render/check-findings.ts';
import { signs } from '../../cli/style.ts';
import { DEMO_PASSWORD } from '../playground.ts';
import { INDENT, PROGRAM } from '../teller.ts';
import type { Audit } from './books.ts';
import { JOURNAL_RPO } from './journal.ts';
import type { Stock } from './shop.ts';
import type { LossWithoutSpool, PostgresSetting, Recovery } from './story.ts';
import { TILLS } from './tills.ts';

export type Narrator = ReturnType<typeof narrate>;

/**
 * Tells the story: the beginning of each line before it happens, the end when it is known. All figures were measured a
 * moment ago.
 */
export function narrate({ teller, playground, servers, installation }: PostgresSetting) {
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

  return {
    begin() {
      line('Holdfast · a shop and its database: protected, lost twice, brought back and counted.\n');
    },

    openingShop() {
      open(1, 'A shop');
      tell(`PostgreSQL ${installation.version}  `);
    },

    shopOpened({ customers, products, orders, lines }: Stock) {
      line(`in ${home(servers.place('servers'))}`);
      more(
        `${formatCount(customers)} customers, ${formatCount(products)} products, ` +
          `${formatCount(orders)} orders of ${formatCount(lines)} lines`,
      );
      more(`${TILLS} tills take new orders without pause, whatever happens`);
    },

    protecting() {
      open(2, 'Protecting');
    },

    journalRuns() {
      line('journal on: no order is confirmed before it is durable in the spool');
      indent();
    },

    protected({ figures, milliseconds, pagesVerified = 0 }: BaseSummary, repository: number) {
      const pages = `${formatCounted(pagesVerified, 'page')} verified`;
      took(`base of ${formatBytes(figures.totalBytesProcessed)} beside the work, ${pages}`, milliseconds);
      more(`repository ${formatBytes(repository)}, encrypted, restic format 2`);
    },

    working() {
      open(3, 'Working');
    },

    worked(taken: number, perSecond: number, lag: number) {
      line(`${orders(taken)} taken, ${formatCount(perSecond)} a second now`);
      const behind = lag < 1 ? 'less than 1 ms' : formatDuration(lag);
      more(
        `the spool ${behind} behind them, the repository a slice every ${formatDuration(JOURNAL_RPO / 2)}`,
      );
    },

    dropping() {
      open(4, 'Disaster');
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
      open(5, 'Disaster');
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

    tryingWithoutSpool() {
      indent();
      tell('without the spool: ');
    },

    triedWithoutSpool({ orders: lost, milliseconds }: LossWithoutSpool) {
      line(`the last ${orders(lost)}, ${formatDuration(milliseconds)}, would be gone`);
    },

    closing() {
      open(6, 'Closing time');
    },

    closed(taken: number, audit: Audit) {
      const sums = audit.differences.length === 0 ? '; totals and stock add up' : '';
      line(`${verdict(audit)}, ${formatCount(taken)} of them taken today${sums}`);
    },

    checking() {
      open(7, 'Check');
    },

    checked({ sound, checked, milliseconds }: CheckResult) {
      const read = `${formatBytes(checked.bytesRead)} read, ${formatCounted(checked.blobs, 'piece')} authenticated`;
      took(`${sound ? style.good(signs.good) : style.bad(signs.bad)} ${read}`, milliseconds);
    },

    end({ undone, rebuilt, withoutSpool }: Ending) {
      const repository = shellWord(playground.place('repository'));
      const { audit } = rebuilt;
      line();
      aside('Measured', `RPO  ${orders(audit.expected - audit.found)} with the spool`);
      more(
        `     ${orders(withoutSpool.orders)}, ${formatDuration(withoutSpool.milliseconds)}, with the repository alone`,
      );
      more(
        `RTO  ${formatDuration(undone.closed)} and ${formatDuration(rebuilt.closed)}, ` +
          'from the disaster to the next order',
      );
      aside('Not shown', 'all of this shared one machine and disk: your spool and last copy must not');
      aside('Stock restic', `RESTIC_PASSWORD=${DEMO_PASSWORD} restic -r ${repository} snapshots`);
      aside(
        'Look around',
        `HOLDFAST_PASSWORD=${DEMO_PASSWORD} ${PROGRAM} postgres points --repo ${repository}`,
      );
      aside('Next', `${PROGRAM} doctor postgres --url URL   says what your server needs for it`);
    },
  };
}

interface Ending {
  readonly undone: Recovery;
  readonly rebuilt: Recovery;
  readonly withoutSpool: LossWithoutSpool;
}
