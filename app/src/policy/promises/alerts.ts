import type { Finding } from '@holdfast/engine';
import type { Policy } from '../model.ts';

/** Whether somebody hears of it, also when it is us who fell silent. */
export function alertFindings({ stack, alerts, sources, repositories }: Policy): Finding[] {
  const subject = `stack ${stack}`;
  const findings: Finding[] = [];
  if (alerts.channels.length === 0) {
    findings.push({
      severity: 'warning',
      code: 'policy.no-alerts',
      subject,
      message: 'Nobody is told when a backup fails, or does not happen.',
      hint: 'Write `alerts: [ { email: you@example.com } ]`.',
    });
  } else {
    const told = (name: string) =>
      alerts.channels.some(({ about }) => about.length === 0 || about.includes(name));
    const silent = [...sources, ...repositories].map(({ name }) => name).filter((name) => !told(name));
    if (silent.length > 0) {
      findings.push({
        severity: 'warning',
        code: 'policy.alerts-leave-out',
        subject,
        message: `Nobody is told of ${silent.join(', ')}: each alert is \`about\` others.`,
      });
    }
  }
  if (alerts.ping === undefined) {
    findings.push({
      severity: 'note',
      code: 'policy.no-ping',
      subject,
      message: 'When Holdfast itself dies nobody hears of it.',
      hint: 'A service that misses our sign of life tells you: `alerts: [ { ping: … } ]`.',
    });
  }
  return findings;
}
