import { displayWidth, padEnd, padStart, truncateStart } from '../width.ts';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** Gives way when the table is wider than the terminal. At most one column. */
  readonly flexible?: boolean;
}

const GAP = '  ';
const NARROWEST = 10;

/** Aligned columns with a head, at most `width` cells wide if the flexible column can give that much. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
): string[] {
  const cells = [columns.map((column) => column.title), ...rows];
  // Not `Math.max(...)` of all: a hundred thousand arguments are more than a call can have.
  const widths = columns.map((_, index) =>
    cells.reduce((widest, row) => Math.max(widest, displayWidth(row[index] ?? '')), 0),
  );
  const excess = widths.reduce((sum, one) => sum + one, 0) + GAP.length * (columns.length - 1) - width;
  const fitted = widths.map((one, index) =>
    excess > 0 && columns[index]?.flexible === true ? Math.max(Math.min(one, NARROWEST), one - excess) : one,
  );
  return cells.map((row) =>
    columns
      .map((column, index) => {
        const room = fitted[index] ?? 0;
        const cell = truncateStart(row[index] ?? '', room);
        return column.align === 'right' ? padStart(cell, room) : padEnd(cell, room);
      })
      .join(GAP)
      .trimEnd(),
  );
}
