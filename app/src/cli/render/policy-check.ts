import type { Finding } from '@holdfast/engine';
import type { CheckedPolicy } from '../commands/policy/check.ts';
import { formatCounted } from '../format.ts';
import { wrapText } from '../paragraph.ts';
import { type Style, signs } from '../style.ts';
import { printable } from '../width.ts';

/** What the policy is about, then what is the matter with it, the worst last, where the eye is. */
export function renderPolicyCheck(
  { file, policy, findings }: CheckedPolicy,
  style: Style,
  width: number,
): string[] {
  const { stack, repositories, sources, copies, alerts } = policy;
  const counts = [
    formatCounted(sources.length, 'source'),
    formatCounted(repositories.length, 'repository', 'repositories'),
    formatCounted(copies.length, 'copy', 'copies'),
    formatCounted(alerts.channels.length, 'alert'),
  ];
  const ranked = findings.toSorted((a, b) => RANK[a.severity] - RANK[b.severity]);
  return [
    `${style.strong(printable(stack))} · ${counts.join(', ')}`,
    `${style.good(signs.good)} ${printable(file)} is a policy`,
    ...[...Map.groupBy(ranked, ({ severity, code, hint }) => `${severity} ${code} ${hint}`).values()].flatMap(
      (alike) => findingLines(alike, style, width),
    ),
  ];
}

export function policyCheckRecords({ file, policy, findings }: CheckedPolicy): Record<string, unknown>[] {
  const count = (severity: Finding['severity']) =>
    findings.filter((found) => found.severity === severity).length;
  return [
    ...findings.map((finding) => ({ type: 'finding', ...finding })),
    {
      type: 'summary',
      file,
      stack: policy.stack,
      errors: count('error'),
      warnings: count('warning'),
      notes: count('note'),
    },
  ];
}

const RANK = { note: 0, warning: 1, error: 2 } as const;

/** What is alike is advised once. */
function findingLines(alike: readonly Finding[], style: Style, width: number): string[] {
  const inner = width - 2;
  const [{ code, hint } = { code: '', hint: undefined }] = alike;
  const advice = wrapText(printable(hint === undefined ? code : `${hint} (${code})`), inner);
  return [
    ...alike.flatMap(({ severity, message }) => {
      const [first = '', ...more] = wrapText(printable(message), inner);
      return [`${signOf(severity, style)} ${first}`, ...more.map((line) => `  ${line}`)];
    }),
    ...advice.map((line) => style.quiet(`  ${line}`)),
  ];
}

function signOf(severity: Finding['severity'], style: Style): string {
  switch (severity) {
    case 'error':
      return style.bad(signs.bad);
    case 'warning':
      return style.warning(signs.warning);
    case 'note':
      return style.quiet(signs.unknown);
  }
}
