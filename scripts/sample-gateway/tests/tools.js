import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { once } from 'node:events';
import { TOKEN, request, scratch, start, tool, until } from './harness.js';

let gateway;
let end;
before(async () => {
  const suite = { after: (action) => { end = action; } };
  gateway = await start(suite, scratch(suite));
});
after(() => end());

const call = (name, params) => tool(gateway.port, name, params);
const codeOf = async (name, params) => (await call(name, params)).error?.code;

test('tools: read and write', async (t) => {
  const directory = scratch(t);
  const file = path.join(directory, 'file');
  assert.deepEqual((await call('write', { path: file, content: 'grüße' })).result, { bytes: 7 });
  assert.deepEqual((await call('read', { path: file })).result, { encoding: 'utf8', content: 'grüße', truncated: false });
  await call('write', { path: file, content: '' });
  assert.equal((await call('read', { path: file })).result.content, '');

  fs.writeFileSync(file, Buffer.from([0xff, 0x00]));
  assert.deepEqual((await call('read', { path: file })).result, { encoding: 'base64', content: '/wA=', truncated: false });
  fs.writeFileSync(file, 'x'.repeat((1 << 20) + 5));
  const long = (await call('read', { path: file })).result;
  assert.deepEqual([long.content.length, long.truncated], [1 << 20, true]);
  assert.match((await call('read', { path: '/proc/self/status' })).result.content, /^Name:/);

  execFileSync('mkfifo', [path.join(directory, 'fifo')]);
  assert.equal(await codeOf('read', { path: path.join(directory, 'fifo') }), 'NOT_A_FILE');
  assert.equal(await codeOf('write', { path: path.join(directory, 'fifo'), content: 'x' }), 'ENXIO');
  assert.equal(await codeOf('read', { path: directory }), 'NOT_A_FILE');
  assert.equal(await codeOf('read', { path: '/dev/zero' }), 'NOT_A_FILE');
  assert.equal(await codeOf('read', { path: path.join(directory, 'none') }), 'ENOENT');
  assert.equal(await codeOf('write', { path: path.join(directory, 'none', 'x'), content: 'x' }), 'ENOENT');
  for (const params of [{}, { path: 7 }, { path: '' }, null]) assert.equal(await codeOf('read', params), 'BAD_PARAMS');
  assert.equal(await codeOf('write', { path: file }), 'BAD_PARAMS');
});

test('tools: exec runs a program or a shell command, and says how it ended', async () => {
  const direct = (await call('exec', { argv: ['printf', '%s|', 'a b', '$HOME'] })).result;
  assert.deepEqual(direct, { exitCode: 0, signal: null, timedOut: false, stdout: 'a b|$HOME|', stderr: '', truncated: false });
  const shell = (await call('exec', { command: 'echo out; echo err >&2; exit 3' })).result;
  assert.deepEqual([shell.exitCode, shell.stdout, shell.stderr], [3, 'out\n', 'err\n']);
  assert.equal((await call('exec', { command: 'kill -USR2 $$' })).result.signal, 'SIGUSR2');
  assert.equal((await call('exec', { argv: ['cat'] })).result.stdout, '', 'the input is empty');
});

test('tools: exec says readably why a program did not start', async (t) => {
  const missing = await call('exec', { argv: ['/no/such/program'] });
  assert.equal(missing.error.code, 'ENOENT');
  assert.match(missing.error.message, /there is no program "\/no\/such\/program" here/);
  const file = path.join(scratch(t), 'file');
  fs.writeFileSync(file, 'text', { mode: 0o600 });
  assert.equal(await codeOf('exec', { argv: [file] }), 'EACCES');
  assert.equal(await codeOf('exec', { argv: ['echo', 'x'.repeat(300_000)] }), 'E2BIG');
  for (const params of [{}, { argv: [] }, { argv: 'ls' }, { argv: ['a', 1] }, { argv: [''] }, { command: '' }, { argv: ['a'], command: 'b' }, { command: 'a', timeoutMs: -1 }]) {
    assert.equal(await codeOf('exec', params), 'BAD_PARAMS', JSON.stringify(params));
  }
});

test('tools: exec is bounded in time and output, and leaves no descendants', async () => {
  const began = Date.now();
  const slow = (await call('exec', { command: 'echo begun; sleep 60 & sleep 60', timeoutMs: 200 })).result;
  assert.deepEqual([slow.timedOut, slow.signal, slow.stdout], [true, 'SIGKILL', 'begun\n']);
  const background = (await call('exec', { command: 'sleep 60 & echo $!' })).result;
  assert.equal(background.exitCode, 0);
  assert.ok(Date.now() - began < 5000);
  const pid = background.stdout.trim();
  await until(() => !fs.existsSync(`/proc/${pid}`) || /\) Z /.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8')), () => `${pid} lives`);
  const loud = (await call('exec', { argv: ['head', '-c', '3000000', '/dev/zero'] })).result;
  assert.deepEqual([loud.exitCode, loud.stdout.length, loud.truncated], [0, 1 << 20, true]);
});

test('tools: exec does not hand on the token; env and ps show no values', async () => {
  assert.ok(!(await call('exec', { argv: ['env'] })).result.stdout.includes(TOKEN));
  const { names } = (await call('env', {})).result;
  assert.ok(names.includes('OPENCLAW_GATEWAY_TOKEN') && names.every((name) => !name.includes('=')));
  const own = (await call('ps', {})).result.processes.find((entry) => entry.pid === gateway.child.pid);
  assert.deepEqual([own.ppid, own.uid, own.name], [process.pid, process.getuid(), 'openclaw-gatewa']);
});

test('tools: calls beyond the limit are refused, not queued', async () => {
  const answers = await Promise.all(Array.from({ length: 24 }, () => call('exec', { argv: ['sleep', '0.3'] })));
  assert.equal(answers.filter((answer) => answer.ok).length, 16);
  assert.ok(answers.filter((answer) => !answer.ok).every((answer) => answer.error.code === 'BUSY'));
  assert.ok(!gateway.output.includes('MaxListeners'), gateway.output);
});

test('tools: fetch', async (t) => {
  const server = http.createServer((incoming, response) => {
    if (incoming.url === '/silent') return;
    if (incoming.url === '/long') return response.end('x'.repeat(300 << 10));
    response.writeHead(418, { 'X-Method': incoming.method });
    response.end('tea');
  }).listen(0, '127.0.0.1');
  t.after(() => { server.close(); server.closeAllConnections(); });
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${server.address().port}`;
  const got = (await call('fetch', { url: `${origin}/` })).result;
  assert.deepEqual([got.status, got.headers['x-method'], got.content, got.truncated], [418, 'GET', 'tea', false]);
  assert.equal((await call('fetch', { url: origin, method: 'post', body: 'b' })).result.headers['x-method'], 'POST');
  const long = (await call('fetch', { url: `${origin}/long` })).result;
  assert.deepEqual([long.content.length, long.truncated], [256 << 10, true]);
  assert.equal(await codeOf('fetch', { url: `${origin}/silent`, timeoutMs: 100 }), 'TIMEOUT');
  for (const params of [{}, { url: 'file:///etc/passwd' }, { url: 'data:,x' }, { url: origin, method: 'TRACE' }]) {
    assert.equal(await codeOf('fetch', params), 'BAD_PARAMS');
  }

  const closed = net.createServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const { port } = closed.address();
  closed.close();
  await once(closed, 'close');
  const refused = await call('fetch', { url: `http://127.0.0.1:${port}/` });
  assert.equal(refused.error.code, 'ECONNREFUSED');
  assert.match(refused.error.message, /ECONNREFUSED/);
});

test('tools: none of this has ended the gateway', async () => {
  assert.equal((await request(gateway.port, 'GET', '/healthz')).status, 200);
  assert.equal(gateway.child.exitCode, null);
});
