// Compiles the loops that JavaScript is too slow for (engine/assembly) to WebAssembly beside their users, and does
// nothing for one that is current. The key beside an output is a hash of all that it depends on: this script, its source,
// the compiler.
import { createHash } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const kernels = [
  { source: 'gear.ts', output: 'chunker/gear.wasm' },
  { source: 'pages.ts', output: 'kernel/pages.wasm' },
];

const script = readFileSync(fileURLToPath(import.meta.url));
const compiler = JSON.parse(
  readFileSync(new URL('../node_modules/assemblyscript/package.json', import.meta.url), 'utf8'),
);

for (const kernel of kernels) {
  const source = fileURLToPath(new URL(`../engine/assembly/${kernel.source}`, import.meta.url));
  const output = fileURLToPath(new URL(`../engine/src/${kernel.output}`, import.meta.url));
  const key = createHash('sha256')
    .update(script)
    .update(readFileSync(source))
    .update(compiler.version)
    .digest('hex');
  if (isCurrent(output, key)) continue;
  await compile(kernel.source, source, output);
  writeFileSync(`${output}.key`, key);
}

function isCurrent(output, key) {
  try {
    readFileSync(output);
    return readFileSync(`${output}.key`, 'utf8') === key;
  } catch (error) {
    if (error.code === 'ENOENT') return false;
    throw error;
  }
}

async function compile(name, source, output) {
  const { default: asc } = await import('assemblyscript/asc');
  // Built under another name: a run that is killed halfway, or a second one beside it, leaves no half kernel.
  const partial = `${output}.${process.pid}`;
  const options = [
    '--runtime',
    'stub',
    '--importMemory',
    '--noAssert',
    '-O3',
    '--converge',
    '--enable',
    'simd',
  ];
  const files = [name, '--baseDir', dirname(source), '--outFile', partial];
  const writeFile = (_name, contents) => writeFileSync(partial, contents);
  const { error, stderr } = await asc.main([...files, ...options], { writeFile });
  if (error !== null) {
    process.stderr.write(stderr.toString());
    process.exit(1);
  }
  renameSync(partial, output);
}
