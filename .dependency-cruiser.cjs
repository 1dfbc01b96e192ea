// The layers of ARCHITECTURE.md as errors. To read: each folder of the engine, and what it may import besides itself.
const engineLayers = {
  kernel: [],
  format: ['kernel'],
  chunker: ['kernel'],
  backend: ['kernel'],
  repository: ['kernel', 'format', 'chunker', 'backend'],
  archive: ['kernel', 'format', 'chunker', 'backend', 'repository'],
};

// The control plane's memory: each folder of the app, and what of the app it may import besides itself.
const memoryLayers = {
  state: String.raw`^app/src/sources/postgres/(connection|restore)/`,
  queue: String.raw`^app/src/(state/|catalog/records\.ts$)`,
  catalog: String.raw`^app/src/(state/|alert/incident\.ts$)`,
};

const tests = String.raw`\.test\.ts$`;
const known = Object.keys(engineLayers).join('|');

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...Object.entries(engineLayers).map(([layer, below]) => ({
      name: `engine-${layer}`,
      comment: `engine/src/${layer} may import ${below.length === 0 ? 'nothing of ours' : below.join(', ')}.`,
      severity: 'error',
      from: { path: `^engine/src/${layer}/`, pathNot: tests },
      to: { path: '^(engine|app)/', pathNot: `^engine/src/(${[layer, ...below].join('|')})/` },
    })),
    ...Object.entries(memoryLayers).map(([layer, below]) => ({
      name: `app-${layer}`,
      comment: `app/src/${layer} is used by the control plane and knows nothing of it.`,
      severity: 'error',
      from: { path: `^app/src/${layer}/`, pathNot: tests },
      to: { path: '^app/', pathNot: [`^app/src/${layer}/`, below] },
    })),
    {
      name: 'engine-layer-without-rule',
      comment: 'A new folder of the engine needs a line in .dependency-cruiser.cjs and in ARCHITECTURE.md.',
      severity: 'error',
      from: { path: '^engine/src/[^/]+/', pathNot: `^engine/src/(${known}|testing)/` },
      to: {},
    },
    {
      name: 'engine-stands-alone',
      comment: 'The engine is useful without the app.',
      severity: 'error',
      from: { path: '^engine/' },
      to: { path: '^app/' },
    },
    {
      name: 'app-through-the-front-door',
      comment:
        "The app uses the engine's entry points: @holdfast/engine, and @holdfast/engine/testing in tests.",
      severity: 'error',
      from: { path: '^app/' },
      to: { path: '^engine/', pathNot: String.raw`^engine/src/(testing/)?index\.ts$` },
    },
    {
      name: 'judging-touches-nothing',
      comment:
        'What judges and decides who is told takes facts and the time; it reads no file and asks nobody.',
      severity: 'error',
      from: {
        path: '^app/src/(status/|alert/(decision|routing|wording|message|incident)[.])',
        pathNot: tests,
      },
      to: {
        path: '^(node:)?(fs|net|tls|https?|dgram|child_process|worker_threads)(/|$)|node_modules/(pg|kysely)/',
      },
    },
    {
      name: 'app-cli-below-main',
      comment: 'app/src/main.ts composes; nothing imports it.',
      severity: 'error',
      from: { path: '^app/src/', pathNot: tests },
      to: { path: String.raw`^app/src/main\.ts$` },
    },
    {
      name: 'app-policy-is-pure',
      comment:
        'What a policy means is decided from its text alone; files, hosts and time are looked at by whoever asks.',
      severity: 'error',
      from: { path: '^app/src/policy/', pathNot: tests },
      to: {
        path: ['^app/src/(?!policy/)', '^(node:)?(fs|net|dns|child_process)(/|$)', 'node_modules/pg/'],
      },
    },
    {
      name: 'nothing-imports-tests',
      comment: 'Tests stand on the program, never the other way round.',
      severity: 'error',
      from: { path: '^(engine|app|scripts)/', pathNot: tests },
      to: { path: [tests, '^test/'] },
    },
    {
      name: 'testing-is-for-tests',
      comment: 'What helps to test (suites, generators, faults) is imported by tests and benchmarks only.',
      severity: 'error',
      from: { path: '^(engine|app)/src/', pathNot: [tests, '^(engine|app)/src/testing/'] },
      to: { path: '^(engine|app)/src/testing/' },
    },
    {
      name: 'oracle-knows-nothing',
      comment:
        'What retention is measured by is written from the requirements alone, so that no mistake is in both.',
      severity: 'error',
      from: { path: String.raw`^test/retention/oracle\.ts$` },
      to: { path: '^(engine|app|test)/' },
    },
    {
      name: 'retention-is-pure',
      comment:
        'Schedules and retention decide; they touch nothing: no files, no network, no processes, no database.',
      severity: 'error',
      from: { path: '^app/src/(schedule|retention)/', pathNot: tests },
      to: { pathNot: '^app/src/(schedule|retention|policy|catalog)/' },
    },
    {
      name: 'no-cycles',
      comment:
        'Modules that run each other in a ring are one module in pieces. Types may know each other (typestate).',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'all-imports-resolve',
      comment: 'What a file imports is there, and is exported by its package.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-undeclared-packages',
      comment: 'What a package uses is in its package.json; what is published needs no devDependency.',
      severity: 'error',
      from: { path: '^(engine|app)/src/', pathNot: [tests, '/testing/'] },
      to: {
        pathNot: '^engine/src/',
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'undetermined'],
      },
    },
  ],
  options: {
    // TypeScript 7 has no API that dependency-cruiser could call: swc parses, type-only imports included. Its warning
    // about a missing tsc says nothing that matters then.
    parser: 'swc',
    tsPreCompilationDeps: true,
    combinedDependencies: false,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: ['/dist/', '/node_modules/', '^test/fixtures/', '^engine/assembly/'] },
    enhancedResolveOptions: {
      conditionNames: ['source', 'import', 'node', 'default', 'types'],
      exportsFields: ['exports'],
      extensions: ['.ts', '.js', '.cjs', '.mjs', '.json'],
    },
  },
};
