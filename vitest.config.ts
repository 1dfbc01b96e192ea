import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';

/** Packages resolve to their TypeScript sources, in the tests and in the workers that they start. */
const source = { conditions: ['source', 'node', 'development|production'] };

interface Suite {
  readonly name: string;
  readonly include: readonly string[];
  /** For one test, in seconds. */
  readonly timeout: number;
  /** Files at a time: the heavy suites fill both cores with one. */
  readonly workers: number;
}

/** The suites in the order in which `npm test` runs them: the cheap ones first. */
const suites: readonly Suite[] = [
  {
    name: 'unit',
    include: ['{engine,app}/src/**/*.test.ts', '{scripts,bench}/**/*.test.ts'],
    timeout: 20,
    workers: 2,
  },
  { name: 'interop', include: ['test/interop/**/*.test.ts'], timeout: 120, workers: 2 },
  // They wait for servers more than they work: two files at a time.
  { name: 'postgres', include: ['test/postgres/**/*.test.ts'], timeout: 180, workers: 2 },
  { name: 'storage', include: ['test/storage/**/*.test.ts'], timeout: 120, workers: 2 },
  { name: 'control', include: ['test/control/**/*.test.ts'], timeout: 180, workers: 2 },
  { name: 'crash', include: ['test/crash/**/*.test.ts'], timeout: 300, workers: 1 },
  // Bound by time, not by work: two minutes.
  { name: 'model', include: ['test/model/**/*.test.ts'], timeout: 300, workers: 1 },
  { name: 'stories', include: ['test/stories/**/*.test.ts'], timeout: 300, workers: 1 },
  { name: 'packages', include: ['test/packages/**/*.test.ts'], timeout: 300, workers: 1 },
];

function project(suite: Suite): TestProjectInlineConfiguration {
  const milliseconds = suite.timeout * 1000;
  return {
    resolve: source,
    ssr: { resolve: source },
    test: {
      name: suite.name,
      include: [...suite.include],
      testTimeout: milliseconds,
      // Hooks clear away what tests left, thousands of small files on a disk that may be busy.
      hookTimeout: Math.max(milliseconds, 120_000),
      maxWorkers: suite.workers,
      execArgv: ['--conditions=source', '--disable-warning=ExperimentalWarning'],
    },
  };
}

export default defineConfig({ test: { projects: suites.map(project) } });
