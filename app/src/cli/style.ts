/** Signs carry the meaning, so that everything reads without colour; colour only repeats it. */
export const signs = { good: '✔', warning: '▲', bad: '✖', unknown: '?' } as const;

type Paint = (text: string) => string;

export interface Style {
  /** Green. */
  readonly good: Paint;
  /** Amber. */
  readonly warning: Paint;
  /** Red. */
  readonly bad: Paint;
  /** Grey: what is unknown, or there for who wants to know more. */
  readonly quiet: Paint;
  readonly strong: Paint;
}

const plain: Style = {
  good: (text) => text,
  warning: (text) => text,
  bad: (text) => text,
  quiet: (text) => text,
  strong: (text) => text,
};

/** SGR codes of ECMA-48: foreground back to default is 39, intensity back to normal 22. */
const coloured: Style = {
  good: sgr(32, 39),
  warning: sgr(33, 39),
  bad: sgr(31, 39),
  quiet: sgr(90, 39),
  strong: sgr(1, 22),
};

export function styleFor(terminal: { readonly colour: boolean }): Style {
  return terminal.colour ? coloured : plain;
}

function sgr(on: number, off: number): Paint {
  return (text) => `\x1b[${on}m${text}\x1b[${off}m`;
}
