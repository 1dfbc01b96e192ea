import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { lockProblems, type PackageLock } from '../lock.ts';
import { inRoot, type Outcome, root, run, runTool, type Step } from './step.ts';

/** What can be known without running the code. Each counts as one test. */
export const staticChecks: readonly Step[] = [
  check('lint', () => runTool('@biomejs/biome/bin/biome', ['check', '--error-on-warnings', '.'])),
  check('types', () => runTool('typescript/lib/tsc.js', ['-p', 'tsconfig.json'])),
  check('layers', () =>
    run(process.execPath, [
      '--import=./scripts/test/using-declarations.mjs',
      'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs',
      '--config=.dependency-cruiser.cjs',
      '--output-type=err-long',
      ...['engine', 'app', 'scripts', 'test', 'bench'].filter(inRoot),
    ]),
  ),
  check('dead-code', () => runTool('knip/bin/knip.js', ['--no-progress'])),
  check('lock-file', checkLock),
  check('no-registry', checkRegistryHosts),
];

function check(name: string, inspect: () => Promise<{ ok: boolean; output: string }>): Step {
  return {
    name,
    group: 'static',
    run: async (): Promise<Outcome> => {
      const { ok, output } = await inspect();
      return { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: [], output };
    },
  };
}

/** `npm ci` must work on every platform, whatever the registry of the one who wrote the lock carried. */
async function checkLock(): Promise<{ ok: boolean; output: string }> {
  const lock = JSON.parse(await readFile(path.join(root, 'package-lock.json'), 'utf8')) as PackageLock;
  const { missing, hosts } = lockProblems(lock);
  const lines = [
    ...missing.map(({ name }) => `${name} has no entry: run ./dev run scripts/complete-lock.ts`),
    ...hosts.map(
      (entry) => `${entry} names the registry it came from: .npmrc has omit-lockfile-registry-resolved`,
    ),
  ];
  return { ok: lines.length === 0, output: lines.join('\n') };
}

/**
 * Package registries by host name. A file that names one works on its author's machine only: where there is a mirror,
 * the tools know it, the file does not.
 */
const registryHosts = [
  String.raw`registry\.(npmjs|yarnpkg)\.`,
  String.raw`\b(pypi|files\.pythonhosted)\.org`,
  String.raw`(index|static)\.crates\.io`,
  String.raw`(proxy|sum)\.golang\.org`,
  String.raw`(deb|security|ftp)\.debian\.org`,
  String.raw`repo1?\.maven\.`,
];

async function checkRegistryHosts(): Promise<{ ok: boolean; output: string }> {
  const mirror = URL.parse(process.env['npm_config_registry'] ?? '')?.host.replaceAll('.', String.raw`\.`);
  const patterns = mirror === undefined ? registryHosts : [...registryHosts, mirror];
  const { ok: found, output } = await run('git', [
    'grep',
    '--untracked',
    '-nIE',
    ...patterns.flatMap((pattern) => ['-e', pattern]),
  ]);
  return { ok: !found && output === '', output };
}
