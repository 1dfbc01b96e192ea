import type { Letter } from '../../app/src/alert/channel/sending.ts';
import type { News } from '../../app/src/alert/message.ts';

export const AT = Date.parse('2026-11-21T03:52:00Z');

export const failedRun: News = {
  key: 'source media: snapshot failed',
  kind: 'opened',
  incident: '0123456789abcdef',
  severity: 'critical',
  about: 'media',
  code: 'run.failed',
  message: 'The last snapshot of media failed: <the source> & its login.',
  hint: 'Next try 21 Nov 2026 11:00 +07:00.',
  since: AT - 60_000,
};

export function letterOf(news: readonly News[] = [failedRun], id = 'a1b2'): Letter {
  return {
    id,
    message: { channel: 'ops', at: AT, news },
    letterhead: { stack: 'Shop & Co', timezone: 'Asia/Ho_Chi_Minh' },
  };
}
