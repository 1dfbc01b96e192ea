import type { Advice, Diagnosis } from '../../doctor/check.ts';
import { wrapText } from '../paragraph.ts';
import { type Style, signs } from '../style.ts';
import { printable } from '../width.ts';

/** What is well first and short; then what is not, the worst last, where the eye is. */
export function renderDiagnosis(diagnosis: Diagnosis, style: Style, width: number): string[] {
  const ranked = diagnosis.advice.toSorted((a, b) => RANK[a.severity] - RANK[b.severity]);
  return [
    style.strong(printable(diagnosis.subject)),
    ...diagnosis.healthy.map((sentence) => `${style.good(signs.good)} ${sentence}`),
    ...ranked.flatMap((advice) => adviceLines(advice, style, width)),
  ];
}

export function diagnosisRecords({ subject, healthy, advice }: Diagnosis): Record<string, unknown>[] {
  return [
    ...advice.map((found) => ({ type: 'finding', ...found })),
    { type: 'summary', subject, healthy: healthy.length, findings: advice.length },
  ];
}

const RANK = { note: 0, warning: 1, error: 2 } as const;

function adviceLines(advice: Advice, style: Style, width: number): string[] {
  const sign = {
    error: style.bad(signs.bad),
    warning: style.warning(signs.warning),
    note: style.quiet(signs.unknown),
  }[advice.severity];
  const inner = width - 2;
  return [
    ...wrapText(printable(advice.message), inner).map((line, at) =>
      at === 0 ? `${sign} ${line}` : `  ${line}`,
    ),
    ...(advice.fix === undefined
      ? []
      : [`  in ${advice.fixIn ?? PLACE}:`, ...advice.fix.map((line) => `      ${line}`)]),
    ...(advice.hint === undefined ? [] : wrapText(printable(advice.hint), inner).map((line) => `  ${line}`)),
  ];
}

const PLACE = 'a shell';
