// Runs the program in this Node, which is 26 or newer (holdfast.cjs sees to that).
'use strict';

const { enableCompileCache } = require('node:module');
const os = require('node:os');
const path = require('node:path');
const v8 = require('node:v8');

// What this thread allocates dies at once; given more room, it spreads over a tenth more memory first.
v8.setFlagsFromString('--max-semi-space-size=4');

// Compiled code is kept below the user's cache, which halves the start-up time.
if (!process.env.NODE_COMPILE_CACHE) {
  const cache = process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache');
  enableCompileCache(path.join(cache, 'holdfast', 'node'));
}

// That a part of Node is still called experimental is for us to know, not for the user to read.
const emitWarning = process.emitWarning;
process.emitWarning = (warning, ...rest) => {
  const kind = typeof rest[0] === 'string' ? rest[0] : (rest[0]?.type ?? warning?.name);
  if (kind !== 'ExperimentalWarning') emitWarning.call(process, warning, ...rest);
};

import('../dist/main.js').catch((error) => {
  console.error(error);
  process.exit(1);
});
