// What the tests share: scratch directories, a running gateway, the client, and a WebSocket peer that owes nothing to
// the code under test. Everything made here ends with the test that asked for it.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export const TOKEN = 'test-token';
const program = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));

const endings = new WeakMap();

/** Undoes in reverse order: the gateway ends before its directory goes. The test runner's own hooks run first to last. */
function atEnd(t, action) {
  if (!endings.has(t)) {
    const actions = [];
    endings.set(t, actions);
    t.after(async () => { for (const undo of actions.reverse()) await undo(); });
  }
  endings.get(t).push(action);
}

export function scratch(t) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'sample-gateway-'));
  atEnd(t, () => fs.rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A gateway process, whether or not it comes up. Its environment is only what stands here, its log lies in the directory. */
export function launch(t, directory, { args = ['--port', '0'], env = {}, config = {}, preload } = {}) {
  fs.mkdirSync(path.join(directory, 'state'), { recursive: true });
  const configFile = path.join(directory, 'openclaw.json');
  if (config !== undefined && !fs.existsSync(configFile)) {
    const text = typeof config === 'string' ? config : JSON.stringify({ logging: { file: path.join(directory, 'log') }, ...config });
    fs.writeFileSync(configFile, text);
  }
  const options = preload ? ['--import', `data:text/javascript,${encodeURIComponent(preload)}`] : [];
  const surroundings = { PATH: process.env.PATH, HOME: directory, TMPDIR: directory, OPENCLAW_STATE_DIR: directory, OPENCLAW_GATEWAY_TOKEN: TOKEN };
  const child = spawn(process.execPath, [...options, program('gateway.js'), 'gateway', ...args], { env: { ...surroundings, ...env } });
  const gateway = { child, directory, configFile, output: '', exited: once(child, 'exit') };
  const note = (chunk) => { gateway.output += chunk; };
  child.stdout.setEncoding('utf8').on('data', note);
  child.stderr.setEncoding('utf8').on('data', note);
  atEnd(t, async () => {
    child.kill('SIGKILL');
    await gateway.exited;
  });
  return gateway;
}

/** A gateway that is listening. */
export async function start(t, directory, options) {
  const gateway = launch(t, directory, options);
  await until(() => gateway.output.includes('listening on') || gateway.child.exitCode !== null, () => gateway.output);
  const port = /listening on ws:\/\/127\.0\.0\.1:(\d+) \(pid \d+\)/.exec(gateway.output)?.[1];
  if (port === undefined) throw new Error(`the gateway did not start: ${gateway.output}`);
  return Object.assign(gateway, { port: Number(port) });
}

/** Waits for the end and returns the exit status. */
export async function statusOf({ child, output }) {
  await until(() => child.exitCode !== null || child.signalCode !== null, () => `the gateway does not end: ${output}`);
  return child.exitCode ?? child.signalCode;
}

export async function until(condition, describe = () => '', milliseconds = 5000) {
  const deadline = Date.now() + milliseconds;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited in vain: ${describe()}`);
    await sleep(10);
  }
}

export const sleep = (milliseconds) => new Promise((resolve) => { setTimeout(resolve, milliseconds); });

/** Runs client.js; the answer is undefined where it printed none. */
export async function client(port, ...args) {
  const child = spawn(process.execPath, [program('client.js'), '--port', String(port), ...args], { env: {} });
  let output = '';
  child.stdout.on('data', (chunk) => { output += chunk; });
  const [status] = await once(child, 'close');
  return { status, answer: output === '' ? undefined : JSON.parse(output) };
}

/** One HTTP request, with the token unless told otherwise. */
export function request(port, method, url, { body, token = TOKEN, headers = {}, agent = false } = {}) {
  return new Promise((resolve, reject) => {
    const authorization = token === null ? {} : { Authorization: `Bearer ${token}` };
    const outgoing = http.request({ host: '127.0.0.1', port, method, path: url, agent, headers: { ...authorization, ...headers } }, async (response) => {
      let text = '';
      for await (const chunk of response.setEncoding('utf8')) text += chunk;
      resolve({ status: response.statusCode, headers: response.headers, text, json: () => JSON.parse(text) });
    });
    outgoing.setTimeout(10_000, () => outgoing.destroy(new Error(`no answer to ${method} ${url}`)));
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

export async function tool(port, name, params) {
  return (await request(port, 'POST', `/tools/${name}`, { body: JSON.stringify(params) })).json();
}

/** A bare WebSocket peer: bytes out, frames in. */
export async function openPeer(port, headers = {}) {
  const outgoing = http.request({
    host: '127.0.0.1', port, agent: false,
    headers: { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==', ...headers },
  });
  outgoing.end();
  const [event, response, socket, head] = await new Promise((resolve, reject) => {
    outgoing.on('error', reject);
    outgoing.on('upgrade', (...rest) => resolve(['upgrade', ...rest]));
    outgoing.on('response', (...rest) => resolve(['response', ...rest]));
  });
  if (event === 'response') return { status: response.statusCode };
  let pending = head;
  const frames = [];
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    for (let frame = takeFrame(pending); frame; frame = takeFrame(pending)) {
      pending = pending.subarray(frame.size);
      frames.push(frame);
    }
  });
  const peer = {
    status: response.statusCode,
    accept: response.headers['sec-websocket-accept'],
    socket,
    raw: (bytes) => socket.write(bytes),
    send: (value) => socket.write(frameOf(1, JSON.stringify(value))),
    async next() {
      await until(() => frames.length > 0 || socket.destroyed, () => 'no frame came');
      return frames.shift();
    },
    async nextJson() { return JSON.parse((await peer.next()).payload); },
    /** The code of the close frame, after whatever comes before it. */
    async closeCode() {
      for (let frame = await peer.next(); frame; frame = await peer.next()) if (frame.opcode === 8) return frame.payload.readUInt16BE();
      return undefined;
    },
  };
  return peer;
}

export const openAuthorised = (port) => openPeer(port, { Authorization: `Bearer ${TOKEN}` });

/** A client's frame, masked. */
export function frameOf(opcode, content, { final = true, mask = Buffer.from([1, 2, 3, 4]), flags = 0 } = {}) {
  const payload = Buffer.from(content);
  const length = payload.length < 126 ? [payload.length] : payload.length < 65536
    ? [126, payload.length >> 8, payload.length & 255]
    : [127, 0, 0, 0, 0, ...new Uint8Array(new Uint32Array([payload.length]).buffer).reverse()];
  const first = (final ? 0x80 : 0) | flags | opcode;
  if (mask === null) return Buffer.from([first, ...length, ...payload]);
  return Buffer.from([first, length[0] | 0x80, ...length.slice(1), ...mask, ...payload.map((byte, i) => byte ^ mask[i % 4])]);
}

function takeFrame(bytes) {
  if (bytes.length < 2) return undefined;
  const short = bytes[1]; // a server does not mask
  const start = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (bytes.length < start) return undefined;
  const size = start + (short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2)));
  return bytes.length < size ? undefined : { opcode: bytes[0] & 15, payload: bytes.subarray(start, size), size };
}
