import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { TOKEN, frameOf, openAuthorised, openPeer, request, scratch, start, until } from './harness.js';

const TEXT = 1, BINARY = 2, CONTINUATION = 0, CLOSE = 8, PING = 9, PONG = 10;
const health = (id) => JSON.stringify({ type: 'req', id, method: 'health' });

let gateway;
let end;
before(async () => {
  const suite = { after: (action) => { end = action; } };
  gateway = await start(suite, scratch(suite));
});
after(() => end());

test('websocket: the handshake is that of the RFC', async () => {
  const peer = await openPeer(gateway.port);
  assert.deepEqual([peer.status, peer.accept], [101, 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=']);
  peer.socket.destroy();
  assert.equal((await openPeer(gateway.port, { 'Sec-WebSocket-Version': '8' })).status, 426);
  assert.equal((await openPeer(gateway.port, { 'Sec-WebSocket-Key': 'short' })).status, 400);
  assert.equal((await openPeer(gateway.port, { Upgrade: 'h2c' })).status, 400);
});

test('websocket: the token comes in the header', async () => {
  const peer = await openAuthorised(gateway.port);
  peer.raw(frameOf(TEXT, health('1')));
  const answer = await peer.nextJson();
  assert.deepEqual([answer.type, answer.id, answer.ok, answer.payload.ready], ['res', '1', true, true]);
  assert.equal((await openPeer(gateway.port, { Authorization: 'Bearer wrong' })).status, 401);
  peer.socket.destroy();
});

test('websocket: or in the first message, and without it nothing is done', async () => {
  const good = await openPeer(gateway.port);
  good.send({ type: 'req', id: 'c', method: 'connect', params: { auth: { token: TOKEN } } });
  const welcome = await good.nextJson();
  assert.equal(welcome.ok, true);
  good.send({ type: 'req', id: '2', method: 'tools.call', params: { name: 'env' } });
  assert.ok((await good.nextJson()).payload.names.includes('PATH'));
  good.socket.destroy();

  const firstMessages = [
    { type: 'req', id: 'c', method: 'connect', params: { auth: { token: 'wrong' } } },
    { type: 'req', id: 'c', method: 'connect' },
    { type: 'req', id: 'c', method: 'tools.call', params: { name: 'env' } },
    'nonsense',
  ];
  for (const message of firstMessages) {
    const bad = await openPeer(gateway.port);
    bad.send(message);
    assert.equal((await bad.nextJson()).ok, false);
    assert.equal(await bad.closeCode(), 1008);
  }
  const { sessions } = (await request(gateway.port, 'GET', '/sessions')).json().result;
  assert.ok(sessions.recent.some((entry) => entry.id === welcome.payload.session));
});

test('websocket: a stranger may not send much', async () => {
  const peer = await openPeer(gateway.port);
  peer.raw(frameOf(TEXT, 'x'.repeat(9000)));
  assert.equal(await peer.closeCode(), 1009);
});

test('websocket: fragments are joined, with a ping between them, byte by byte', async () => {
  const peer = await openAuthorised(gateway.port);
  const content = Buffer.from(health('ü1'));
  const split = content.indexOf('ü') + 1; // in the middle of a character
  const bytes = Buffer.concat([
    frameOf(TEXT, content.subarray(0, 5), { final: false }),
    frameOf(CONTINUATION, content.subarray(5, split), { final: false }),
    frameOf(PING, 'hello'),
    frameOf(CONTINUATION, '', { final: false }),
    frameOf(CONTINUATION, content.subarray(split)),
  ]);
  for (const byte of bytes) peer.raw(Buffer.from([byte]));
  const pong = await peer.next();
  assert.deepEqual([pong.opcode, String(pong.payload)], [PONG, 'hello']);
  assert.equal((await peer.nextJson()).id, 'ü1');
  peer.raw(frameOf(CLOSE, Buffer.from([0x03, 0xe8])));
  assert.equal(await peer.closeCode(), 1000);
});

test('websocket: long messages in both directions', async () => {
  const peer = await openAuthorised(gateway.port);
  const command = `: ${'x'.repeat(70_000)}; head -c 100000 /dev/zero | tr '\\0' y`;
  peer.send({ type: 'req', id: 'long', method: 'tools.call', params: { name: 'exec', params: { command } } });
  assert.equal((await peer.nextJson()).payload.stdout.length, 100_000);
  peer.socket.destroy();
});

test('websocket: too large is refused, in one piece, in many, and before it is sent', async () => {
  const whole = await openAuthorised(gateway.port);
  whole.raw(frameOf(TEXT, 'x'.repeat((1 << 20) + 1)));
  assert.equal(await whole.closeCode(), 1009);

  const pieces = await openAuthorised(gateway.port);
  pieces.raw(frameOf(TEXT, 'x'.repeat(60_000), { final: false }));
  for (let i = 0; i < 20; i += 1) pieces.raw(frameOf(CONTINUATION, 'x'.repeat(60_000), { final: false }));
  assert.equal(await pieces.closeCode(), 1009);

  const crumbs = await openAuthorised(gateway.port);
  crumbs.raw(frameOf(TEXT, 'x', { final: false }));
  for (let i = 0; i < 1100; i += 1) crumbs.raw(frameOf(CONTINUATION, '', { final: false }));
  assert.equal(await crumbs.closeCode(), 1009);

  const announced = await openAuthorised(gateway.port);
  announced.raw(Buffer.from([0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]));
  assert.equal(await announced.closeCode(), 1009);
});

test('websocket: violations end the connection with their code, and the gateway lives', async () => {
  const cases = [
    ['no mask', frameOf(TEXT, 'x', { mask: null }), 1002],
    ['reserved bits', frameOf(TEXT, 'x', { flags: 0x40 }), 1002],
    ['unknown kind', frameOf(3, 'x'), 1002],
    ['nothing to continue', frameOf(CONTINUATION, 'x'), 1002],
    ['a second beginning', Buffer.concat([frameOf(TEXT, 'x', { final: false }), frameOf(TEXT, 'x')]), 1002],
    ['a ping in pieces', frameOf(PING, 'x', { final: false }), 1002],
    ['a long ping', frameOf(PING, 'x'.repeat(126)), 1002],
    ['half a close code', frameOf(CLOSE, 'x'), 1002],
    ['a close code that cannot be', frameOf(CLOSE, Buffer.from([0x03, 0xed])), 1002],
    ['not UTF-8', frameOf(TEXT, Buffer.from([0xff])), 1007],
    ['binary', frameOf(BINARY, 'x'), 1003],
  ];
  for (const [name, bytes, code] of cases) {
    const peer = await openAuthorised(gateway.port);
    peer.raw(bytes);
    assert.equal(await peer.closeCode(), code, name);
  }
  const rude = await openAuthorised(gateway.port);
  rude.socket.resetAndDestroy();
  await until(async () => (await request(gateway.port, 'GET', '/readyz')).json().sessions === 0, () => 'sessions are left');
});

test('websocket: a call that fails is an answer, and the connection stays', async () => {
  const peer = await openAuthorised(gateway.port);
  peer.raw(frameOf(TEXT, 'not JSON'));
  assert.equal((await peer.nextJson()).error.code, 'BAD_REQUEST');
  peer.send({ type: 'req', id: '1', method: 'dance' });
  assert.equal((await peer.nextJson()).error.code, 'UNKNOWN_METHOD');
  peer.send({ type: 'req', id: '2', method: 'tools.call' });
  assert.equal((await peer.nextJson()).error.code, 'UNKNOWN_TOOL');
  peer.send({ type: 'req', id: '3', method: 'tools.call', params: { name: 'read', params: { path: '/nowhere' } } });
  assert.equal((await peer.nextJson()).error.code, 'ENOENT');
  peer.socket.destroy();
});
