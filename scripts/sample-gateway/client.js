#!/usr/bin/env node
// The gateway's command-line client, for tests and for trying things out.
//
//   node client.js --port P [--token T] health | ready | call TOOL [JSON] | ws TOOL [JSON]
//
// Prints the answer as one line of JSON. Status: 0 the answer is ok, 1 it is not, 2 there was no answer, 64 wrong usage.
import http from 'node:http';
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { acceptValue } from './lib/handshake.js';
import { WebSocketConnection } from './lib/websocket.js';

const HOST = '127.0.0.1';
const USAGE = 'usage: client.js --port P [--token T] health | ready | call TOOL [JSON] | ws TOOL [JSON]';

const { port, token, command, tool, params } = readArguments();
const actions = {
  health: () => request('GET', '/healthz'),
  ready: () => request('GET', '/readyz'),
  call: () => request('POST', `/tools/${encodeURIComponent(tool)}`, JSON.stringify(params)),
  ws: callOverWebSocket,
};
try {
  const answer = await actions[command]();
  process.stdout.write(JSON.stringify(answer) + '\n');
  process.exitCode = answer.ok ? 0 : 1;
} catch (error) {
  process.stderr.write(`client: ${error.message || error.code}\n`);
  process.exitCode = 2;
}

function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { port: { type: 'string' }, token: { type: 'string' } },
    });
    const [name, toolName, json = '{}', ...rest] = positionals;
    const takesTool = name === 'call' || name === 'ws';
    const isCommand = takesTool || name === 'health' || name === 'ready';
    if (!isCommand || rest.length > 0 || takesTool !== (toolName !== undefined)) throw new Error(USAGE);
    return {
      port: Number(values.port ?? process.env.OPENCLAW_GATEWAY_PORT ?? 18789),
      token: values.token ?? process.env.OPENCLAW_GATEWAY_TOKEN ?? '',
      command: name,
      tool: toolName,
      params: JSON.parse(json),
    };
  } catch (error) {
    process.stderr.write(`client: ${error.message}\n`);
    return process.exit(64);
  }
}

// node:http and not fetch: a proxy in the environment is for the way out, never for the gateway.
function request(method, path, body) {
  return new Promise((resolve, reject) => {
    const headers = { Authorization: `Bearer ${token}`, ...(body && { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }) };
    const outgoing = http.request({ host: HOST, port, method, path, headers, agent: false }, async (response) => {
      try {
        const chunks = [];
        for await (const chunk of response) chunks.push(chunk);
        resolve(JSON.parse(Buffer.concat(chunks).toString('utf8')));
      } catch (error) {
        reject(error);
      }
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

function callOverWebSocket() {
  return new Promise((resolve, reject) => {
    const key = randomBytes(16).toString('base64');
    const headers = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': key };
    const outgoing = http.request({ host: HOST, port, path: '/', headers, agent: false });
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      response.resume();
      reject(new Error(`the gateway refused the connection: ${response.statusCode}`));
    });
    outgoing.on('upgrade', (response, socket, head) => {
      // An answer to a `read` can have several bytes in JSON for each byte of the file.
      const connection = new WebSocketConnection(socket, { head, isClient: true, maxMessage: 16 << 20 });
      if (response.headers['sec-websocket-accept'] !== acceptValue(key)) {
        connection.terminate();
        reject(new Error('the answer is not that of a WebSocket server'));
        return;
      }
      const send = (id, method, body) => connection.send(JSON.stringify({ type: 'req', id, method, params: body }));
      connection.on('close', (code, reason) => reject(new Error(`closed before the answer: ${code} ${reason}`)));
      connection.on('message', (text) => {
        const { id, ok, payload, error } = JSON.parse(text);
        if (id === 'connect' && ok) return;
        resolve(ok ? { ok, result: payload } : { ok, error });
        connection.close(1000);
      });
      send('connect', 'connect', { auth: { token } });
      send('call', 'tools.call', { name: tool, params });
    });
    outgoing.end();
  });
}
