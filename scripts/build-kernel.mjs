// Compiles engine/assembly/gear.ts to engine/src/chunker/gear.wasm, and does nothing when that is current.
// The key beside the output is a hash of all that the output depends on: this script, the source, the compiler.
import { createHash } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(import.meta.url);
const source = fileURLToPath(new URL('../engine/assembly/gear.ts', import.meta.url));
const output = fileURLToPath(new URL('../engine/src/chunker/gear.wasm', import.meta.url));
const compiler = new URL('../node_modules/assemblyscript/package.json', import.meta.url);

const key = createHash('sha256')
  .update(readFileSync(script))
  .update(readFileSync(source))
  .update(JSON.parse(readFileSync(compiler, 'utf8')).version)
  .digest('hex');

if (!isCurrent()) {
  await compile();
  writeFileSync(`${output}.key`, key);
}

function isCurrent() {
  try {
    readFileSync(output);
    return readFileSync(`${output}.key`, 'utf8') === key;
  } catch (error) {
    if (error.code === 'ENOENT') return false;
    throw error;
  }
}

async function compile() {
  const { default: asc } = await import('assemblyscript/asc');
  // Built under another name: a run that is killed halfway, or a second one beside it, leaves no half kernel.
  const partial = `${output}.${process.pid}`;
  const options = ['--runtime', 'stub', '--importMemory', '--noAssert', '-O3', '--converge'];
  const files = ['gear.ts', '--baseDir', dirname(source), '--outFile', partial];
  const writeFile = (_name, contents) => writeFileSync(partial, contents);
  const { error, stderr } = await asc.main([...files, ...options], { writeFile });
  if (error !== null) {
    process.stderr.write(stderr.toString());
    process.exit(1);
  }
  renameSync(partial, output);
}
