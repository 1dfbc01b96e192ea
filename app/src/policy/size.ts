/** Sizes and rates as a policy writes them: `10 MiB` is 1024² each, `10 MB` is 1000² each. */

const UNITS: readonly (readonly [name: string, bytes: number])[] = [
  ['PiB', 1024 ** 5],
  ['TiB', 1024 ** 4],
  ['GiB', 1024 ** 3],
  ['MiB', 1024 ** 2],
  ['KiB', 1024],
  ['PB', 1000 ** 5],
  ['TB', 1000 ** 4],
  ['GB', 1000 ** 3],
  ['MB', 1000 ** 2],
  ['kB', 1000],
  ['B', 1],
];

export const SIZE = /^(?=.*[1-9])\d{1,16}(?:\.\d{1,6})? ?(?:[PTGMK]iB|[PTGMk]B|B)$/;
export const RATE = /^(?=.*[1-9])\d{1,16}(?:\.\d{1,6})? ?(?:[PTGMK]iB|[PTGMk]B|B)\/s$/;

/** Bytes, at least one; the text must match `SIZE` or `RATE`. */
export function parseSize(text: string): number {
  const [, amount = '', unit = ''] = /^([\d.]+) ?([A-Za-z]+)/.exec(text) ?? [];
  const bytes = UNITS.find(([name]) => name === unit)?.[1] ?? 1;
  return Math.max(1, Math.round(Number(amount) * bytes));
}

/** Exact: the largest unit that leaves no fraction. */
export function formatSize(bytes: number): string {
  const [name, size] = UNITS.filter(([, length]) => bytes % length === 0).reduce((best, next) =>
    next[1] > best[1] ? next : best,
  );
  return `${bytes / size} ${name}`;
}

export function formatRate(bytes: number): string {
  return `${formatSize(bytes)}/s`;
}

/** What somebody may have meant by `10mb` or `100M`. */
export function repairSize(text: string): string | undefined {
  const [, amount, prefix = '', binary] = /^(\d+(?:\.\d+)?)\s*([kmgtp]?)(i?)(?:b|bytes?)?$/i.exec(text) ?? [];
  if (amount === undefined) return undefined;
  const letter = prefix.toUpperCase();
  // A bare letter means powers of 1024, as on the command line.
  const powers = binary !== '' || /[kmgtp]$/i.test(text);
  const unit = letter === '' ? 'B' : powers ? `${letter}iB` : `${letter === 'K' ? 'k' : letter}B`;
  const repaired = `${amount} ${unit}`;
  return SIZE.test(repaired) ? repaired : undefined;
}

export function repairRate(text: string): string | undefined {
  const size = repairSize(text.replace(/\s*(?:\/\s*s(?:ec(?:ond)?)?|ps)$/i, ''));
  return size === undefined ? undefined : `${size}/s`;
}
