import { expect, test } from 'vitest';
import { RatesScene } from './rates-scene.ts';
import { UpProcess, type UpRecord } from './up-process.ts';

const MB = 1_000_000;

test('what two snapshots send at once keeps to the rate of the policy', async () => {
  using scene = await RatesScene.create();
  scene.addNoise('one', 100 * MB);
  scene.addNoise('two', 100 * MB);
  await using up = new UpProcess(
    scene.savePolicy(`
      stack: shop
      limits: { upload: 20MB/s }
      repositories:
        main: { url: ${scene.at('repository')}, password: { file: ${scene.at('password')} }, sameHost: accepted }
      sources:
        one: { files: ${scene.at('data')}/one, snapshot: { every: 1d }, keep: { last: 3 } }
        two: { files: ${scene.at('data')}/two, snapshot: { every: 1d }, keep: { last: 3 } }
    `),
  );
  const [one, two] = await Promise.all([timeOf(up, 'one'), timeOf(up, 'two')]);
  const seconds = (Math.max(one.ended, two.ended) - Math.min(one.began, two.began)) / 1000;
  expect(200 / seconds).toBeLessThanOrEqual(20 * 1.2);
});

async function timeOf(up: UpProcess, about: string): Promise<{ began: number; ended: number }> {
  const of = (event: string) => up.said({ event, kind: 'snapshot', about });
  const time = ({ time }: UpRecord) => Number(time);
  return { began: time(await of('began')), ended: time(await of('ended')) };
}
