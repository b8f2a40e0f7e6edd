// SPDX-License-Identifier: BSD-2-Clause
// A Node server that accepts its connections paused (to hand them to somebody else) and never resumes one.
// Prints {"port":...,"pid":...} first and {"paused":true} when it has one. Ends when its stdin does.
'use strict';
const net = require('net');

const kept = [];
const server = net.createServer({pauseOnConnect: true}, (connection) => {
  kept.push(connection);
  console.log(JSON.stringify({paused: true}));
});
server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({port: server.address().port, pid: process.pid}));
});
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
