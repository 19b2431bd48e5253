'use strict';
// A web server on this host's loopback, for the demonstration. Prints its port; ends with its standard input.
const http = require('node:http');

const server = http.createServer((request, response) => {
  request.resume();
  request.on('end', () => response.end(`hello from ${request.method} ${request.url}\n`));
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
