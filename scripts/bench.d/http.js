// A small HTTP server and its clients, in two processes on one loopback. Prints requests per second.
// usage: node http.js SECONDS
'use strict';
const http = require('node:http');
const { fork } = require('node:child_process');

const CONNECTIONS = 16;
const WARM_UP = 1000;

if (process.argv[2] === 'server') {
  const server = http.createServer((request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end('{"ok":true,"path":"' + request.url + '"}');
  });
  server.listen(0, '127.0.0.1', () => process.send(server.address().port));
  process.on('disconnect', () => process.exit(0));
} else {
  const seconds = Number(process.argv[2]);
  const server = fork(__filename, ['server']);
  server.once('message', (port) => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS });
    let answered = 0;
    let stopped = false;
    const ask = () => {
      if (stopped) return;
      http.get({ host: '127.0.0.1', port, agent, path: '/status' }, (response) => {
        response.resume();
        response.on('end', () => { answered += 1; ask(); });
      }).on('error', (error) => { if (!stopped) { console.error(error.message); process.exit(1); } });
    };
    for (let i = 0; i < CONNECTIONS; i += 1) ask();
    setTimeout(() => {
      const before = answered;
      const start = process.hrtime.bigint();
      setTimeout(() => {
        const rate = (answered - before) * 1e9 / Number(process.hrtime.bigint() - start);
        stopped = true;
        console.log(rate.toFixed(1));
        server.disconnect();
        setImmediate(() => process.exit(0));
      }, seconds * 1000);
    }, WARM_UP);
  });
}
