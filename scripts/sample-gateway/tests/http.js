import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import http from 'node:http';
import { TOKEN, client, request, scratch, start } from './harness.js';

let gateway;
let end;
before(async () => {
  const suite = { after: (action) => { end = action; } };
  gateway = await start(suite, scratch(suite));
});
after(() => end());

test('http: health needs no token; readiness says which store is used', async () => {
  const health = await request(gateway.port, 'GET', '/healthz', { token: null });
  assert.deepEqual([health.status, health.json()], [200, { ok: true, status: 'live' }]);
  const ready = (await request(gateway.port, 'GET', '/readyz', { token: null })).json();
  const hasSqlite = await import('node:sqlite').then(() => true, () => false);
  assert.deepEqual([ready.ok, ready.store, ready.pid], [true, hasSqlite ? 'sqlite' : 'jsonl', gateway.child.pid]);
});

test('http: everything else needs the token, whatever it is', async () => {
  const wrong = [null, 'wrong', `${TOKEN}x`, TOKEN.slice(1)];
  for (const token of wrong) {
    for (const [method, url] of [['GET', '/'], ['GET', '/sessions'], ['POST', '/tools/env'], ['POST', '/tools/none'], ['POST', '/healthz']]) {
      const response = await request(gateway.port, method, url, { token });
      assert.deepEqual([response.status, response.json().error.code], [401, 'UNAUTHORIZED'], `${method} ${url}`);
    }
  }
  for (const authorization of [TOKEN, `Basic ${TOKEN}`, 'Bearer']) {
    assert.equal((await request(gateway.port, 'GET', '/sessions', { token: null, headers: { Authorization: authorization } })).status, 401);
  }
  assert.equal((await request(gateway.port, 'GET', '/sessions')).status, 200);
});

test('http: what is not there, not JSON or not POST is refused in JSON', async () => {
  const cases = [
    ['GET', '/nothing', undefined, 404, 'NOT_FOUND'],
    ['GET', '/tools/env', undefined, 405, 'METHOD'],
    ['POST', '/tools/none', '{}', 404, 'UNKNOWN_TOOL'],
    ['POST', '/tools/__proto__', '{}', 404, 'UNKNOWN_TOOL'],
    ['POST', '/tools/env', '{', 400, 'BAD_JSON'],
    ['POST', '/tools/env', '[]', 200, 'BAD_PARAMS'],
  ];
  for (const [method, url, body, status, code] of cases) {
    const response = await request(gateway.port, method, url, { body });
    assert.deepEqual([response.status, response.json().ok, response.json().error.code], [status, false, code], url);
  }
});

test('http: a body beyond the limit is refused, announced or not', async () => {
  const body = JSON.stringify({ path: '/dev/null', content: 'x'.repeat(2 << 20) });
  for (const headers of [{}, { 'Transfer-Encoding': 'chunked' }]) {
    const response = await request(gateway.port, 'POST', '/tools/write', { body, headers });
    assert.deepEqual([response.status, response.json().error.code], [413, 'TOO_LARGE']);
  }
  assert.equal((await request(gateway.port, 'GET', '/healthz')).status, 200);
});

test('http: a connection carries several requests', async (t) => {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  for (let i = 0; i < 3; i += 1) {
    const response = await request(gateway.port, 'POST', '/tools/env', { body: '{}', agent });
    assert.equal(response.headers.connection, 'keep-alive');
  }
});

test('http: calls are remembered', async () => {
  await request(gateway.port, 'POST', '/tools/read', { body: '{"path":"/nowhere"}' });
  const { calls } = (await request(gateway.port, 'GET', '/sessions')).json().result;
  const last = calls.recent.at(-1);
  assert.deepEqual([last.tool, last.caller, last.ok, last.code], ['read', 'http', false, 'ENOENT']);
});

test('client: answers as JSON, and a status that says how it went', async () => {
  const { port } = gateway;
  assert.deepEqual(await client(port, 'health'), { status: 0, answer: { ok: true, status: 'live' } });
  assert.equal((await client(port, 'ready')).answer.ready, true);
  for (const way of ['call', 'ws']) {
    const good = await client(port, '--token', TOKEN, way, 'exec', '{"argv":["echo","hello"]}');
    assert.deepEqual([good.status, good.answer.result.stdout], [0, 'hello\n']);
    const bad = await client(port, '--token', TOKEN, way, 'read', '{"path":"/nowhere"}');
    assert.deepEqual([bad.status, bad.answer.error.code], [1, 'ENOENT']);
    const stranger = await client(port, '--token', 'wrong', way, 'env');
    assert.deepEqual([stranger.status, stranger.answer.error.code], [1, 'UNAUTHORIZED']);
  }
  assert.equal((await client(1, 'health')).status, 2);
  assert.equal((await client(port, 'dance')).status, 64);
  assert.equal((await client(port, 'call', 'env', '{')).status, 64);
});
