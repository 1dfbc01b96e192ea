import { displayWidth } from '../app/src/cli/width.ts';

/** How a stretch of text looks: classes of the picture's style sheet. */
type Look = 'strong' | 'good' | 'warning' | 'bad' | 'quiet';

interface Stretch {
  /** The cell that it begins in. */
  readonly column: number;
  readonly text: string;
  readonly looks: readonly Look[];
}

/** Pixels of a cell, and around all of them. */
const CELL = { width: 8.4, height: 19 };
const MARGIN = 18;

/** GitHub's own greens, ambers, reds and greys, of which each is legible on its background. */
const STYLE = `
    .paper { fill: #ffffff; stroke: #d0d7de } text { fill: #1f2328 }
    .strong { font-weight: 600 } .good { fill: #1a7f37 } .warning { fill: #9a6700 } .bad { fill: #cf222e } .quiet { fill: #59636e }
    @media (prefers-color-scheme: dark) {
      .paper { fill: #0d1117; stroke: #3d444d } text { fill: #e6edf3 }
      .good { fill: #3fb950 } .warning { fill: #d29922 } .bad { fill: #f85149 } .quiet { fill: #9198a1 }
    }`;

const FONT = `font-family="ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14"`;

/** Draws what a terminal shows, from the text that a program printed there. `title` is for whoever cannot see it. */
export function drawTerminal(printed: string, title: string): string {
  const rows = printed.trimEnd().split('\n').map(readRow);
  const columns = Math.max(...rows.flat().map(({ column, text }) => column + displayWidth(text)));
  const width = Math.ceil(columns * CELL.width + 2 * MARGIN);
  const height = rows.length * CELL.height + 2 * MARGIN;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ${FONT} role="img">`,
    `  <title>${escaped(title)}</title>`,
    `  <style>${STYLE}\n  </style>`,
    `  <rect class="paper" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8"/>`,
    ...rows.flatMap((row, index) => row.map((stretch) => drawStretch(stretch, index))),
    '</svg>\n',
  ].join('\n');
}

/** Its length is fixed, so that columns stand below each other whatever font there is. */
function drawStretch({ column, text, looks }: Stretch, row: number): string {
  const x = (MARGIN + column * CELL.width).toFixed(1);
  const y = (MARGIN + (row + 0.75) * CELL.height).toFixed(1);
  const length = (displayWidth(text) * CELL.width).toFixed(1);
  const look = looks.length === 0 ? '' : ` class="${looks.join(' ')}"`;
  return `  <text x="${x}" y="${y}" textLength="${length}" lengthAdjust="spacingAndGlyphs"${look}>${escaped(text)}</text>`;
}

/** The SGR codes that our own style has: what each sets, and what ends it. */
const CODES: Readonly<Record<string, Look>> = {
  1: 'strong',
  31: 'bad',
  32: 'good',
  33: 'warning',
  90: 'quiet',
};
const COLOURS: readonly Look[] = ['good', 'warning', 'bad', 'quiet'];

const ESCAPE = /\x1b\[(\d+)m/;

function readRow(row: string): Stretch[] {
  const stretches: Stretch[] = [];
  let looks: readonly Look[] = [];
  let column = 0;
  for (const [index, piece] of row.split(ESCAPE).entries()) {
    // Splitting at a group leaves the codes at the odd places.
    if (index % 2 === 1) {
      looks = changed(looks, piece);
      continue;
    }
    for (const word of piece.split(/( {2,}|^ +)/)) {
      if (word.trim() !== '') stretches.push({ column, text: word.trimEnd(), looks });
      column += displayWidth(word);
    }
  }
  return stretches;
}

function changed(looks: readonly Look[], code: string): readonly Look[] {
  if (code === '22') return looks.filter((look) => look !== 'strong');
  const colourless = looks.filter((look) => !COLOURS.includes(look));
  if (code === '39') return colourless;
  const look = CODES[code];
  if (look === undefined) throw new Error(`no picture can be drawn of the code ${code}`);
  return look === 'strong' ? [...looks, look] : [...colourless, look];
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
