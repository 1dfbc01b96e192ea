/** What the place that output goes to can do. */
export interface Terminal {
  /** Lines can be redrawn and questions be asked. */
  readonly interactive: boolean;
  /** Cells in a line. */
  readonly columns: number;
  readonly colour: boolean;
}

/** What a process stream tells about itself. */
export interface StreamFacts {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where nobody looks at a line's end: wide enough for a log, narrow enough to read. */
const COLUMNS_WITHOUT_TERMINAL = 100;

/**
 * The capabilities of a stream. `TERM=dumb` can neither redraw nor colour. FORCE_COLOR wins over NO_COLOR, as Node
 * itself has it; both count only when they are not empty (no-color.org).
 */
export function describeTerminal(stream: StreamFacts, environment: Environment): Terminal {
  const interactive = stream.isTTY === true && environment.TERM !== 'dumb';
  const columns =
    stream.columns === undefined || stream.columns < 1 ? COLUMNS_WITHOUT_TERMINAL : stream.columns;
  return { interactive, columns, colour: allowsColour(interactive, environment) };
}

function allowsColour(interactive: boolean, environment: Environment): boolean {
  const forced = environment.FORCE_COLOR ?? '';
  if (forced !== '') return forced !== '0' && forced !== 'false';
  if ((environment.NO_COLOR ?? '') !== '') return false;
  return interactive;
}
