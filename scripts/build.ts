/**
 * Builds what is published: `dist` of each package from its sources, with declarations, and the licence beside it.
 * The engine first: the app is compiled against its declarations, as its users' programs are.
 */
import { copyFile, cp, glob, mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { root, runTool } from './test/step.ts';

for (const name of ['engine', 'app']) {
  const folder = path.join(root, name);
  await rm(path.join(folder, 'dist'), { recursive: true, force: true });
  const { ok, output } = await runTool('typescript/lib/tsc.js', [
    '-p',
    path.join(name, 'tsconfig.build.json'),
  ]);
  if (!ok) {
    process.stderr.write(output);
    process.exit(1);
  }
  // tsc leaves behind what it does not compile.
  for await (const kernel of glob('**/*.wasm', { cwd: path.join(folder, 'src') })) {
    const target = path.join(folder, 'dist', kernel);
    await mkdir(path.dirname(target), { recursive: true });
    await copyFile(path.join(folder, 'src', kernel), target);
  }
  await copyFile(path.join(root, 'LICENSE'), path.join(folder, 'LICENSE'));
}

// `holdfast help CODE` shows the page of an error, wherever it is installed.
await cp(path.join(root, 'docs', 'errors'), path.join(root, 'app', 'dist', 'errors'), { recursive: true });
