#!/usr/bin/env node
// The installed command. Written in the oldest JavaScript, since it must be understood by any Node: one of major
// version 26 or newer runs the program itself; an older one looks for the Node 26 that npm brought along.
'use strict';

var childProcess = require('child_process');
var os = require('os');
var path = require('path');

if (Number(process.versions.node.split('.')[0]) >= 26) {
  require('./run.cjs');
} else {
  var node = bundledNode();
  if (node === undefined) {
    console.error(
      '✖ Holdfast needs Node 26 or newer; this is ' +
        process.version +
        '.\n  npm has none for ' +
        process.platform +
        '-' +
        process.arch +
        ', or optional dependencies were left out.\n' +
        '  Install Node 26 or newer, or install again without --omit=optional.'
    );
    process.exit(1);
  }
  runWith(node);
}

// The optional dependencies of package.json: npm installs the one for this platform.
function bundledNode() {
  var names = ['node-', 'node-bin-'];
  for (var i = 0; i < names.length; i += 1) {
    try {
      var manifest = require.resolve(names[i] + process.platform + '-' + process.arch + '/package.json');
      return path.join(path.dirname(manifest), 'bin', 'node');
    } catch (error) {
      if (error.code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  return undefined;
}

function runWith(program) {
  var args = [path.join(__dirname, 'run.cjs')].concat(process.argv.slice(2));
  var child = childProcess.spawn(program, args, { stdio: 'inherit' });

  // Ctrl-C on a terminal reaches the child by itself; a second one would tell it to stop at once.
  var fromTerminal = process.stdin.isTTY === true;
  ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'].forEach(function (signal) {
    process.on(signal, function () {
      if (!(fromTerminal && signal === 'SIGINT')) child.kill(signal);
    });
  });

  child.on('error', function (error) {
    console.error('✖ ' + program + ' could not be started: ' + error.message);
    process.exit(1);
  });
  child.on('exit', function (code, signal) {
    process.exit(signal ? 128 + os.constants.signals[signal] : code);
  });
}
