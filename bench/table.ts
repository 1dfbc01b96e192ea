import type { Traffic } from './measurement.ts';
import type { Defeat, Sample } from './operations.ts';

/**
 * Markdown: medians, and beside each its ratio to that of `baseline` in the same work. Work and programs stand in the
 * order in which they first appear; MB are 10^6 bytes. What a server was asked has columns where there is one. Who failed at something is named with how often.
 */
export function renderTable(samples: readonly (Sample | Defeat)[], baseline: string): string {
  const rows: string[] = [];
  const known = samples.filter(isSample);
  const figures = always.concat(onServers.filter(({ read }) => known.some((one) => read(one) !== undefined)));
  for (const work of unique(samples.map((sample) => sample.work))) {
    const all = (label: string) => samples.filter((sample) => sample.work === work && sample.label === label);
    const of = (label: string) => all(label).filter(isSample);
    const labels = unique(samples.filter((sample) => sample.work === work).map(({ label }) => label));
    for (const [index, label] of labels.toSorted((a, b) => rank(a, baseline) - rank(b, baseline)).entries()) {
      const cells = figures.map(({ read, digits }) => {
        const own = median(of(label).map(read));
        const other = median(of(baseline).map(read));
        if (own === undefined) return ' | ';
        const ratio =
          other === undefined || other === 0 || label === baseline ? '' : (own / other).toFixed(2);
        return `${own.toFixed(digits)} | ${ratio}`;
      });
      const defeats = all(label).length - of(label).length;
      const name = defeats === 0 ? label : `${label} (failed ${defeats} of ${all(label).length})`;
      rows.push(`| ${index === 0 ? work : ''} | ${name} | ${cells.join(' | ')} |`);
    }
  }
  const head = `| work | program |${figures.map(({ title }) => ` ${title} | × |`).join('')}`;
  const rule = `|---|---|${'--:|--:|'.repeat(figures.length)}`;
  return [head, rule, ...rows].join('\n');
}

interface Figure {
  readonly title: string;
  readonly read: (sample: Sample) => number | undefined;
  readonly digits: number;
}

const always: readonly Figure[] = [
  { title: 'wall s', read: ({ wallSeconds }) => wallSeconds, digits: 2 },
  { title: 'CPU s', read: ({ cpuSeconds }) => cpuSeconds, digits: 2 },
  { title: 'peak MB', read: ({ peakBytes }) => peakBytes / 1e6, digits: 0 },
  { title: 'repository MB', read: ({ repositoryBytes }) => inMegabytes(repositoryBytes), digits: 1 },
];

const onServers: readonly Figure[] = [
  { title: 'requests', read: ({ traffic }) => requestsOf(traffic), digits: 0 },
  { title: 'network MB', read: ({ traffic }) => inMegabytes(traffic?.bytes), digits: 1 },
];

function inMegabytes(bytes: number | undefined): number | undefined {
  return bytes === undefined ? undefined : bytes / 1e6;
}

function requestsOf(traffic: Traffic | undefined): number | undefined {
  return traffic && Object.values(traffic.requests).reduce((sum, count) => sum + count, 0);
}

/** Of those that are known; undefined when none is. */
export function median(values: readonly (number | undefined)[]): number | undefined {
  const sorted = values.filter((value) => value !== undefined).toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}

function isSample(one: Sample | Defeat): one is Sample {
  return !('said' in one);
}

function rank(label: string, baseline: string): number {
  return label === baseline ? 0 : 1;
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)];
}
