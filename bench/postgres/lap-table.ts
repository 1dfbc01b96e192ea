import { median } from '../table.ts';
import type { Lap } from './stage.ts';

/** What is asked of us: our wall time at most so many times that of whoever's label begins so. */
export interface Goal {
  readonly work: string;
  readonly peer: string;
  readonly atMost: number;
}

const HEAD = '| work | program | wall s | each run | holdfast is × | goal | CPU s | peak MB | stored MB |';
const RULE = '|---|---|--:|---|--:|--:|--:|--:|--:|';

/** Markdown: medians; beside a peer how many times its wall time we take. MB are 10^6 bytes. */
export function renderLaps(laps: readonly Lap[], ours: string, goals: readonly Goal[]): string {
  const lines = [HEAD, RULE];
  for (const [work, all] of Map.groupBy(laps, (lap) => lap.work)) {
    const own = median(all.filter(({ label }) => label === ours).map(({ wallSeconds }) => wallSeconds));
    const rows = [...Map.groupBy(all, ({ label }) => label)];
    rows.sort(([one], [other]) => Number(other === ours) - Number(one === ours));
    for (const [index, [label, some]] of rows.entries()) {
      const wall = median(some.map(({ wallSeconds }) => wallSeconds));
      const goal = goals.find((goal) => goal.work === work && label.startsWith(goal.peer));
      const ratio = label === ours || own === undefined || wall === undefined ? '' : (own / wall).toFixed(2);
      const cells = [
        index === 0 ? work : '',
        label,
        written(wall, 2),
        some.map(({ wallSeconds }) => wallSeconds.toFixed(2)).join(' · '),
        ratio,
        goal === undefined ? '' : `≤ ${goal.atMost}`,
        written(median(some.map(({ cpuSeconds }) => cpuSeconds)), 2),
        written(median(some.map(({ peakBytes }) => peakBytes / 1e6)), 0),
        written(
          median(some.map(({ storedBytes }) => (storedBytes === undefined ? undefined : storedBytes / 1e6))),
          1,
        ),
      ];
      lines.push(`| ${cells.join(' | ')} |`);
    }
  }
  return lines.join('\n');
}

function written(value: number | undefined, digits: number): string {
  return value === undefined ? '' : value.toFixed(digits);
}
