const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 };

/** `90s`, `5m` or `2h` in milliseconds. */
export function milliseconds(text: string): number {
  const [, count, unit = ''] = /^(\d+)([smh])$/.exec(text) ?? [];
  const factor = UNITS[unit];
  if (count === undefined || factor === undefined)
    throw new Error(`"${text}" is no duration such as 90s, 5m or 2h`);
  return Number(count) * factor;
}

/** The largest two units: `1 h 5 min`, `5 min 3 s`, `12 s`. */
export function spoken(duration: number): string {
  const seconds = Math.max(0, Math.round(duration / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)];
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}
