import type { BaseSummary } from '../../cli/commands/postgres/backup.ts';
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
  const { style, line, open, aside, more, took, home, tell, clockTime } = teller;
  const good = style.good(signs.good);
  const of = ({ found, expected }: Audit) => `${formatCount(found)} of ${formatCounted(expected, 'order')}`;
  const verdict = (audit: Audit) => {
    if (audit.differences.length === 0) return `${good} ${of(audit)}`;
    return `${style.bad(signs.bad)} ${of(audit)}, ${formatCounted(audit.differences.length, 'thing')} not as before`;
  };
  const bringingBack = (text: string) => {
    open(undefined, 'Recovery');
    line(text);
  };

  return {
    begin() {
      line('Holdfast · a shop and its database: protected, lost twice, brought back and counted.\n');
    },

    openingShop() {
      open(1, 'A shop');
      tell(`PostgreSQL ${installation.version}: `);
    },

    shopOpened({ customers, products, orders, lines }: Stock) {
      line(
        `${formatCount(customers)} customers, ${formatCount(products)} products, ` +
          `${formatCount(orders)} orders, ${formatCount(lines)} lines`,
      );
      more(`in ${home(servers.place('servers'))}; ${TILLS} tills take orders without pause`);
    },

    protecting() {
      open(2, 'Protecting');
    },

    journalRuns() {
      line('journal on: no order is confirmed before it is durable in the spool');
      tell(' '.repeat(INDENT));
    },

    protected({ figures, milliseconds, pagesVerified }: BaseSummary, repository: number) {
      const { totalBytesProcessed: bytes } = figures;
      const pages = pagesVerified === undefined ? '' : `, ${formatCounted(pagesVerified, 'page')} verified`;
      took(`base of ${formatBytes(bytes)} while they write${pages}`, milliseconds);
      more(`repository ${formatBytes(repository)}, encrypted, restic format 2`);
    },

    working() {
      open(3, 'Working');
    },

    worked(orders: number, perSecond: number, lag: number) {
      line(
        `${formatCount(orders)} new orders, ${formatCount(perSecond)} a second; ` +
          `the spool is ${formatDuration(lag)} behind, the repository ${formatDuration(JOURNAL_RPO)} at most`,
      );
    },

    dropped(at: number) {
      open(4, 'Disaster');
      line(`${clockTime(at)}  DROP TABLE orders CASCADE;   (somebody meant staging)`);
      bringingBack(`to ${clockTime(at)}, the moment before`);
    },

    undone({ plan, struckAt, audit, books, closed }: Recovery) {
      const span = struckAt - Date.parse(plan.base.endedAt);
      more(`base of ${clockTime(Date.parse(plan.base.endedAt))} and ${formatDuration(span)} of journal`);
      tell(' '.repeat(INDENT));
      const before = `the last taken ${formatDuration(struckAt - books.newest)} before`;
      took(`${verdict(audit)}, ${before}`, closed);
    },

    cuttingPower() {
      open(5, 'Disaster');
    },

    powerCut(at: number) {
      line(`${clockTime(at)}  kill -9, and the server’s whole directory is gone`);
      bringingBack('what only the spool has goes into the repository, then to the last commit');
    },

    rebuilt({ audit, closed }: Recovery) {
      tell(' '.repeat(INDENT));
      took(`${verdict(audit)}: each that was confirmed`, closed);
    },

    tryingWithoutSpool() {
      tell(`${' '.repeat(INDENT)}without the spool   `);
    },

    triedWithoutSpool({ orders, milliseconds }: LossWithoutSpool) {
      line(`the last ${formatCounted(orders, 'order')}, ${formatDuration(milliseconds)}, would be lost`);
    },

    checking() {
      open(6, 'Check');
    },

    checked({ sound, checked, milliseconds }: CheckResult) {
      const read = `${formatBytes(checked.bytesRead)} read, ${formatCounted(checked.blobs, 'piece')} authenticated`;
      took(`${sound ? good : style.bad(signs.bad)} ${read}`, milliseconds);
    },

    end({ undone, rebuilt, withoutSpool, last }: Ending) {
      const repository = home(playground.place('repository'));
      const lost = rebuilt.audit.expected - rebuilt.audit.found;
      more(`${verdict(last)} at closing time; totals and stock add up`);
      line();
      aside('Measured', `RPO  ${formatCounted(lost, 'order')} with the spool, which was on another disk`);
      more(
        `     ${formatCounted(withoutSpool.orders, 'order')}, ${formatDuration(withoutSpool.milliseconds)}, with the repository alone`,
      );
      more(
        `RTO  ${formatDuration(undone.closed)} and ${formatDuration(rebuilt.closed)}, from the disaster to the next order`,
      );
      aside('Not shown', 'all of this shared one machine and one disk: your last copy must not');
      aside('Stock restic', `RESTIC_PASSWORD=${DEMO_PASSWORD} restic -r ${repository} snapshots`);
      aside(
        'Look around',
        `HOLDFAST_PASSWORD=${DEMO_PASSWORD} ${PROGRAM} postgres points --repo ${repository}`,
      );
      aside(
        'Next',
        `${PROGRAM} doctor postgres --url URL   then   ${PROGRAM} postgres backup --url URL --repo DIR`,
      );
    },
  };
}

interface Ending {
  readonly undone: Recovery;
  readonly rebuilt: Recovery;
  readonly withoutSpool: LossWithoutSpool;
  readonly last: Audit;
}
