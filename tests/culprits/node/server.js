// SPDX-License-Identifier: BSD-2-Clause
// A Node server; a line of JSON each way, see ../real_runtime.cpp.
//   half-open  allowHalfOpen: true, and nobody calls end() when the peer has ended
//   paused     pauseOnConnect, and nobody resumes the socket: not even its end is looked for
//   unconsumed nobody listens for data, so that "end" never comes, although the runtime has read it
//   healthy    an HTTP server that keeps connections alive
'use strict';
const http = require('http');
const net = require('net');
const readline = require('readline');

const mode = process.argv[2];
const truths = {
  'half-open': { cause: 'eof-ignored', eof_read: true, seen_reading: true },
  // Its descriptor is in no epoll set, or in one without an event to wait for.
  paused: { cause: 'abandoned', acceptable: ['unwatched-event'], eof_read: false, unread_bytes: 5, decided_early: true },
  unconsumed: { cause: 'eof-ignored', eof_read: true, seen_reading: true },
  healthy: { cause: 'none' },
};
const say = (line) => process.stdout.write(JSON.stringify(line) + '\n');
const sayFrom = (what) => say({ [what]: 1, tid: process.pid });
const sockets = [];

function handle(socket) {
  sockets.push(socket);
  socket.on('error', () => {});
  if (mode === 'paused') {
    sayFrom('accepted');
    sayFrom('leaked');
  } else if (mode === 'unconsumed') {
    sayFrom('accepted');
    const look = setInterval(() => {
      if (!socket._readableState.ended) return;
      clearInterval(look);
      sayFrom('leaked');
    }, 5);
  } else {
    socket.on('end', () => sayFrom('leaked'));
    socket.on('data', () => sayFrom('accepted'));
  }
}

const server = mode === 'healthy'
  ? http.createServer((request, response) => response.end('ok'))
  : net.createServer({ allowHalfOpen: mode === 'half-open', pauseOnConnect: mode === 'paused' }, handle);
server.listen(0, '127.0.0.1', () => say({ port: server.address().port, truth: truths[mode] }));

const orders = readline.createInterface({ input: process.stdin });
orders.on('line', () => {
  sockets[0].on('close', () => sayFrom('closed'));
  sockets[0].destroy();
});
orders.on('close', () => process.exit(0));
