import type { PolicyProblem } from '../../policy/problem.ts';
import { wrapText } from '../paragraph.ts';
import type { PolicyRefusal } from '../policy-options.ts';
import { type Style, signs } from '../style.ts';
import { displayWidth, printable } from '../width.ts';

/** Each with the line that it is about and a mark below what is meant, as compilers do. */
export function renderPolicyProblems(
  { file, problems }: PolicyRefusal,
  style: Style,
  width: number,
): string[] {
  const gutter = Math.max(...problems.map(({ line }) => String(line).length), 1);
  return problems.flatMap((problem, at) => [
    ...(at === 0 ? [] : ['']),
    ...problemLines(problem, { file, gutter, style, width }),
  ]);
}

export function policyProblemRecords({ file, problems }: PolicyRefusal): Record<string, unknown>[] {
  return [
    ...problems.map(({ excerpt, ...problem }) => ({ type: 'problem', file, ...problem, excerpt })),
    { type: 'summary', file, problems: problems.length },
  ];
}

interface Page {
  readonly file: string;
  readonly gutter: number;
  readonly style: Style;
  readonly width: number;
}

function problemLines(problem: PolicyProblem, { file, gutter, style, width }: Page): string[] {
  const { line, column, length, path, message, suggestion } = problem;
  const bar = style.quiet('│');
  const empty = ' '.repeat(gutter);
  const { text, from } = window(problem, width - gutter - 5);
  const mark = ' '.repeat(from) + '^'.repeat(Math.max(1, Math.min(length, displayWidth(text) - from)));
  const room = Math.max(20, width - gutter - 3);
  return [
    `${style.bad(signs.bad)} ${style.strong(printable(path === '' ? file : path))}  ${style.quiet(`${printable(file)}:${line}:${column}`)}`,
    `${style.quiet(String(line).padStart(gutter))} ${bar} ${text}`,
    `${empty} ${bar} ${style.bad(mark)}`,
    ...wrapText(printable(message), room).map((each) => `${empty}   ${each}`),
    ...(suggestion === undefined ? [] : wrapText(printable(suggestion), room)).map(
      (each) => `${empty}   ${style.good(each)}`,
    ),
  ];
}

/** The end of a line that is too long, where what is meant is. */
function window({ excerpt, offset }: PolicyProblem, room: number): { text: string; from: number } {
  // A tab would move the mark; escapes of other control characters may, and are rare enough.
  const text = printable(excerpt.replaceAll('\t', ' '));
  const start = Math.max(0, Math.min(offset - 8, text.length - room + 1));
  if (text.length <= room || start === 0) return { text: text.slice(0, room), from: offset };
  return { text: `…${text.slice(start, start + room - 1)}`, from: offset - start + 1 };
}
