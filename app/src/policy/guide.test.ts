import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { isMap, isScalar, parseDocument } from 'yaml';
import { checkCron } from '../schedule/cron.ts';
import { parsePolicy } from './parse.ts';

const GUIDE = new URL('../../../docs/guide/', import.meta.url);
const PARTS = ['stack', 'timezone', 'repositories', 'sources', 'copies', 'alerts', 'limits'];

const samples = readdirSync(GUIDE)
  .filter((file) => file.endsWith('.md'))
  .flatMap((file) =>
    [...readFileSync(new URL(file, GUIDE), 'utf8').matchAll(/^```yaml\n(.*?)^```$/gms)].map(
      ([, text = ''], index) => ({ file, number: index + 1, text }),
    ),
  );

test('the guide has samples', () => {
  expect(samples.length).toBeGreaterThan(4);
});

test.each(samples)('sample $number of $file is a policy, or a part of one', ({ text }) => {
  const parsed = parsePolicy(complete(text), {
    timezone: 'Europe/Berlin',
    homeDirectory: '/home/ann',
    checkCron,
  });
  expect('problems' in parsed ? parsed.problems : []).toEqual([]);
});

/** With the least that it lacks around it; what belongs to a source becomes one's. */
function complete(text: string): string {
  const { contents } = parseDocument(text);
  const keys = isMap(contents) ? contents.items.map(({ key }) => (isScalar(key) ? key.value : key)) : [];
  if (!keys.some((key) => PARTS.includes(String(key)))) {
    return complete(`sources:\n  media:\n    files: /srv/media\n${text.replaceAll(/^(?=.)/gm, '    ')}`);
  }
  const around = Object.entries(FRAME).filter(([key]) => !keys.includes(key));
  return [text, ...around.map(([key, value]) => `${key}: ${value}\n`)].join('');
}

const FRAME = {
  repositories: '{ main: { url: /srv/backup, password: { env: PASSWORD } } }',
  sources: '{ media: { files: /srv/media }, metadata: { files: /srv/metadata } }',
};
