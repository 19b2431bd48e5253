// A small HTTP server and its clients, in two processes on one loopback. Prints requests per second, and microseconds
// of processor time that one request took in both together, which hardly depends on what else the machine does.
// usage: node http.js SECONDS
'use strict';
const http = require('node:http');
const { fork } = require('node:child_process');

const CONNECTIONS = 16;
const WARM_UP = 700;

if (process.argv[2] === 'server') {
  const server = http.createServer((request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end('{"ok":true,"path":"' + request.url + '"}');
  });
  process.on('message', () => process.send(process.cpuUsage()));
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
    const reading = () => new Promise((resolve) => {
      server.once('message', (used) => {
        const own = process.cpuUsage();
        resolve({ answered, time: process.hrtime.bigint(), used: used.user + used.system + own.user + own.system });
      });
      server.send('usage');
    });
    setTimeout(async () => {
      const before = await reading();
      setTimeout(async () => {
        const after = await reading();
        stopped = true;
        const count = after.answered - before.answered;
        const rate = count * 1e9 / Number(after.time - before.time);
        console.log(rate.toFixed(1), ((after.used - before.used) / count).toFixed(3));
        server.disconnect();
        setImmediate(() => process.exit(0));
      }, seconds * 1000);
    }, WARM_UP);
  });
}
