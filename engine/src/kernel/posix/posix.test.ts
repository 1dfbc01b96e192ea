import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';

const module = new URL('./posix.ts', import.meta.url);

/** Runs `code` in a Node of its own, with `openPosix` and `koffi` at hand, and returns what it prints as JSON. */
function runApart(code: string): unknown {
  const program = `import { createRequire } from 'node:module'; import { Worker } from 'node:worker_threads';
    import { getPriority } from 'node:os'; import { openPosix } from ${JSON.stringify(module.href)}; ${code}`;
  const folder = fileURLToPath(new URL('.', import.meta.url));
  return JSON.parse(
    execFileSync(process.execPath, ['--input-type=module', '-e', program], { cwd: folder, encoding: 'utf8' }),
  );
}

test('works in several worker threads at once', async () => {
  const code = `const { parentPort } = require('node:worker_threads');
    import(${JSON.stringify(module.href)}).then(({ openPosix }) => {
      const { attributes, accounts } = openPosix();
      let listed = 0;
      for (let i = 0; i < 2000; i++) listed += attributes.list(Buffer.from('/')).length;
      let code;
      try { attributes.list(Buffer.from('/nothing/here')); } catch (error) { code = error.code; }
      parentPort.postMessage({ code, root: accounts.userName(0), listed });
    });`;
  const answers = await Promise.all(
    [1, 2, 3].map(
      () =>
        new Promise((resolve, reject) => {
          const worker = new Worker(code, { eval: true, execArgv: [] });
          worker.once('message', resolve);
          worker.once('error', reject);
        }),
    ),
  );
  for (const answer of answers)
    expect(answer).toEqual({ code: 'ENOENT', root: 'root', listed: expect.any(Number) });
});

test('importing it does not load the native library', () => {
  const loaded = `Object.keys(createRequire(import.meta.url).cache).filter((path) => path.includes('koffi')).length`;
  expect(
    runApart(`const before = ${loaded}; openPosix(); console.log(JSON.stringify([before, ${loaded} > 0]))`),
  ).toEqual([0, true]);
});

test('lowered priority holds for this thread and for those it starts', ({ skip }) => {
  if (process.platform !== 'linux') skip('reads the priority with a call of Linux');
  const ioprioGet = process.arch === 'x64' ? 252 : 31;
  const read = `const koffi = require('koffi');
    const priority = koffi.load(null).func('long syscall(long number, long which, long who)')(${ioprioGet}, 1, 0);`;
  const answer = runApart(`
    const require = createRequire(import.meta.url);
    openPosix().lowerPriority({ nice: 7, io: 'low' });
    ${read}
    const worker = new Worker(${JSON.stringify(`${read} require('node:worker_threads').parentPort.postMessage(
      { nice: require('node:os').getPriority(), priority });`)}, { eval: true, execArgv: [] });
    worker.once('message', (inWorker) => {
      openPosix().lowerPriority({ io: 'idle' });
      const idle = koffi.load(null).func('long syscall(long number, long which, long who)')(${ioprioGet}, 1, 0);
      console.log(JSON.stringify({ nice: getPriority(), class: priority >> 13, level: priority & 7,
        workerNice: inWorker.nice, workerClass: inWorker.priority >> 13, idle: idle >> 13 }));
    });`);
  expect(answer).toEqual({ nice: 7, class: 2, level: 7, workerNice: 7, workerClass: 2, idle: 3 });
});
