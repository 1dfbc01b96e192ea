import { formatBytes, formatCount, formatCounted, formatFactor, formatRate } from '../../cli/format.ts';
import type { BackupSummary } from '../../cli/render/backup-summary.ts';
import type { CheckResult } from '../../cli/render/check-findings.ts';
import { signs } from '../../cli/style.ts';
import { DEMO_PASSWORD, type Playground } from '../playground.ts';
import { INDENT, PROGRAM, type Teller } from '../teller.ts';
import type { Manifest } from './manifest.ts';
import type { DayOfWork } from './shop.ts';

export type Narrator = ReturnType<typeof narrate>;

/**
 * Tells the story: the beginning of each line before it happens, the end when it is known. All figures were measured a
 * moment ago.
 */
export function narrate(teller: Teller, playground: Playground) {
  const { style, tell, line, open, aside, more, took, home, shellWord } = teller;

  return {
    begin() {
      line('Holdfast · a real tree of files: protected, changed, lost and brought back.\n');
    },

    building() {
      open(1, 'A shop');
    },

    built({ files, bytes }: Manifest, missing: readonly string[]) {
      line(`${formatCounted(files, 'file')}, ${formatBytes(bytes)} in ${home(playground.place('shop'))}`);
      more('two releases of its code, its orders, and what backups trip over: names that');
      more('are no text, hard links, a FIFO, holes, setuid, attributes, exact times');
      if (missing.length > 0) more(style.quiet(`this file system does not have ${missing.join(', ')}`));
    },

    protecting() {
      open(2, 'Protecting');
    },

    protected({ figures, milliseconds }: BackupSummary, repository: number) {
      const { totalFilesProcessed: files, totalBytesProcessed: bytes } = figures;
      const amount = `${formatCounted(files, 'file')}, ${formatBytes(bytes)}, ${formatRate(bytes, milliseconds)}`;
      took(amount, milliseconds);
      const dedup = formatFactor(bytes, figures.dataAdded);
      const compression = formatFactor(figures.dataAdded, figures.dataAddedPacked);
      more(
        `repository ${formatBytes(repository)} (dedup ${dedup}, compression ${compression}), encrypted, restic format 2`,
      );
    },

    working({ edited, added, deleted, moved }: DayOfWork) {
      open(3, 'A day’s work');
      line(`${edited} files edited, ${added} added, ${deleted} deleted, ${moved} moved; saved again:`);
    },

    savedAgain({ figures, milliseconds }: BackupSummary) {
      tell(' '.repeat(INDENT));
      const unchanged = `${formatCount(figures.filesUnmodified)} unchanged`;
      const stored = `${formatBytes(figures.dataAdded)} new as ${formatBytes(figures.dataAddedPacked)}`;
      took(`${stored}; ${unchanged}`, milliseconds);
    },

    disaster() {
      open(4, 'Disaster');
      line(`rm -rf ${home(playground.place('shop'))}   (somebody meant another one)`);
    },

    recovering(which: 'newest' | 'older') {
      if (which === 'newest') open(5, 'Recovery');
      else tell(' '.repeat(INDENT));
      tell(which === 'newest' ? 'after work   ' : 'before work  ');
    },

    recovered({ files, bytes }: Manifest, differences: readonly string[], milliseconds: number) {
      const text =
        differences.length === 0
          ? `${style.good(signs.good)} ${formatCount(files)} of ${formatCounted(files, 'file')}, ${formatBytes(bytes)}`
          : `${style.bad(signs.bad)} ${formatCounted(differences.length, 'thing')} did not come back as before`;
      took(text, milliseconds, INDENT + 'after work   '.length);
    },

    compared() {
      more('compared: every byte (SHA-256), name, owner, permission, time, link and attribute');
    },

    checking() {
      open(6, 'Check');
    },

    checked({ sound, checked, milliseconds }: CheckResult) {
      const read = `${formatBytes(checked.bytesRead)} read, ${formatCounted(checked.blobs, 'piece')} authenticated`;
      took(`${sound ? style.good(signs.good) : style.bad(signs.bad)} ${read}`, milliseconds);
    },

    end() {
      const repository = shellWord(playground.place('repository'));
      line('');
      aside('Not shown', 'all of this shared one machine and one disk: your last copy must not');
      aside('Stock restic', `RESTIC_PASSWORD=${DEMO_PASSWORD} restic -r ${repository} snapshots`);
      aside('Look around', `HOLDFAST_PASSWORD=${DEMO_PASSWORD} ${PROGRAM} points --repo ${repository}`);
      aside('Next', `${PROGRAM} repo init --repo DIR   then   ${PROGRAM} files backup PATH --repo DIR`);
    },
  };
}
