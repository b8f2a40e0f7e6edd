// SPDX-License-Identifier: BSD-2-Clause
// A Node server that pauses a connection after its first bytes and never resumes it.
// Prints {"port":...,"pid":...} first and {"paused":true} when it has. Ends when its stdin does.
'use strict';
const net = require('net');

const server = net.createServer((connection) => {
  connection.once('data', () => {
    connection.pause();
    console.log(JSON.stringify({paused: true}));
  });
});
server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({port: server.address().port, pid: process.pid}));
});
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
