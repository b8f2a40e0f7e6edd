// SPDX-License-Identifier: BSD-2-Clause
// A Node server whose one thread is stuck in a function of a known name; see ../hosted_functions.cpp.
//   spinParse      computes for ever
//   writeAuditLog  fs.fdatasyncSync() of a file that is never on disk
'use strict';
const fs = require('fs');
const net = require('net');
const [, , mode, , file] = process.argv;

let parsed = 0;
// In one go: the event loop does not turn again.
const say = (line) => fs.writeSync(1, JSON.stringify(line) + '\n');

function spinParse() {
  for (;;) parsed = (parsed * 31 + 7) % 1000003;
}

function writeAuditLog() {
  const log = fs.openSync(file, 'r+');
  fs.fdatasyncSync(log);
}

function handleRequest() {
  say({ accepted: 1, tid: process.pid });
  if (mode === 'spinParse') spinParse();
  else writeAuditLog();
}

const server = net.createServer({ allowHalfOpen: true }, (socket) => socket.once('data', handleRequest));
server.listen(0, '127.0.0.1', () => say({ port: server.address().port }));
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
