import { test } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { TOKEN, launch, openAuthorised, request, scratch, sleep, start, statusOf, tool, until } from './harness.js';

test('stop: SIGTERM and SIGINT close sockets with 1001, free the lock and end with 0', async (t) => {
  for (const signal of ['SIGTERM', 'SIGINT']) {
    const gateway = await start(t, scratch(t));
    const idle = await openAuthorised(gateway.port);
    gateway.child.kill(signal);
    assert.equal(await idle.closeCode(), 1001);
    assert.equal(await statusOf(gateway), 0);
    assert.equal(fs.existsSync(path.join(gateway.directory, 'gateway.lock')), false);
    await assert.rejects(request(gateway.port, 'GET', '/healthz'), { code: 'ECONNREFUSED' });
  }
});

test('stop: running tools are finished, their answers delivered, and further signals ignored', async (t) => {
  const gateway = await start(t, scratch(t), { env: { OPENCLAW_DRAIN_MS: '5000' } });
  const mark = path.join(gateway.directory, 'mark');
  const busy = await openAuthorised(gateway.port);
  const command = `echo > ${mark}; sleep 0.6; echo done`;
  busy.send({ type: 'req', id: 'a', method: 'tools.call', params: { name: 'exec', params: { command } } });
  const overHttp = tool(gateway.port, 'exec', { command: 'sleep 0.6; echo done' });
  await until(() => fs.existsSync(mark));

  gateway.child.kill('SIGTERM');
  await until(() => gateway.output.includes('SIGTERM: stopping'));
  gateway.child.kill('SIGTERM');
  gateway.child.kill('SIGINT');
  gateway.child.kill('SIGUSR1');
  await sleep(50);
  await assert.rejects(request(gateway.port, 'GET', '/healthz'), { code: 'ECONNREFUSED' }, 'nothing new is accepted');
  busy.send({ type: 'req', id: 'b', method: 'tools.call', params: { name: 'env' } });
  const refused = await busy.nextJson();
  assert.deepEqual([refused.id, refused.error.code], ['b', 'DRAINING']);

  const finished = await busy.nextJson();
  assert.deepEqual([finished.id, finished.payload.stdout], ['a', 'done\n']);
  assert.equal(await busy.closeCode(), 1001);
  assert.equal((await overHttp).result.stdout, 'done\n');
  assert.equal(await statusOf(gateway), 0);
  assert.match(gateway.output, /SIGTERM ignored: already stopping/);
  assert.match(gateway.output, /SIGINT ignored: already stopping/);
});

test('stop: tools that take longer than the drain are ended with everything they started', async (t) => {
  const gateway = await start(t, scratch(t), { env: { OPENCLAW_DRAIN_MS: '150' } });
  const pids = path.join(gateway.directory, 'pids');
  const call = tool(gateway.port, 'exec', { command: `sleep 60 & echo $$ $! > ${pids}; wait` });
  const peer = await openAuthorised(gateway.port);
  // Never answers the close, and must not hold up the end.
  peer.socket.pause();
  await until(() => fs.existsSync(pids) && fs.readFileSync(pids, 'utf8').endsWith('\n'));
  const began = Date.now();
  gateway.child.kill('SIGTERM');
  assert.equal((await call).error.code, 'SHUTDOWN');
  assert.equal(await statusOf(gateway), 0);
  assert.ok(Date.now() - began < 2000);
  for (const pid of fs.readFileSync(pids, 'utf8').trim().split(' ')) {
    await until(() => !fs.existsSync(`/proc/${pid}`) || /\) Z /.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8')), () => `${pid} lives`);
  }
});

test('stop: a signal during the start is an orderly stop', async (t) => {
  const directory = scratch(t);
  // As early as possible: the fault hook sends it from inside the start.
  const preload = `import os from 'node:os'; const real = os.cpus; os.cpus = () => { process.kill(process.pid, 'SIGTERM'); return real(); };`;
  const gateway = launch(t, directory, { preload });
  assert.equal(await statusOf(gateway), 0);
  assert.equal(fs.existsSync(path.join(directory, 'gateway.lock')), false);
});

test('restart: SIGUSR1 reloads the configuration in the same process, on the same port', async (t) => {
  const gateway = await start(t, scratch(t), { env: { OPENCLAW_GATEWAY_TOKEN: '' }, config: { gateway: { auth: { token: TOKEN } } } });
  const peer = await openAuthorised(gateway.port);
  const lock = fs.readFileSync(path.join(gateway.directory, 'gateway.lock'), 'utf8');
  const config = JSON.parse(fs.readFileSync(gateway.configFile));
  config.gateway.auth.token = 'another';
  fs.writeFileSync(gateway.configFile, JSON.stringify(config));
  gateway.child.kill('SIGUSR1');
  assert.equal(await peer.closeCode(), 1012);
  await until(() => gateway.output.match(/listening on/g).length === 2, () => gateway.output);
  assert.match(gateway.output, /SIGUSR1: restarting\n[^]*configuration reloaded/);
  assert.equal((await request(gateway.port, 'GET', '/sessions')).status, 401);
  assert.equal((await request(gateway.port, 'GET', '/sessions', { token: 'another' })).status, 200);
  assert.equal((await request(gateway.port, 'GET', '/readyz')).json().pid, gateway.child.pid);
  assert.equal(fs.readFileSync(path.join(gateway.directory, 'gateway.lock'), 'utf8'), lock);

  fs.writeFileSync(gateway.configFile, '{ broken');
  gateway.child.kill('SIGUSR1');
  await until(() => gateway.output.match(/listening on/g).length === 3, () => gateway.output);
  assert.match(gateway.output, /configuration not reloaded/);
  assert.equal((await request(gateway.port, 'GET', '/sessions', { token: 'another' })).status, 200);

  gateway.child.kill('SIGUSR1');
  gateway.child.kill('SIGTERM');
  assert.equal(await statusOf(gateway), 0, 'a stop during a restart is a stop');
});

test('restart: a tool that takes too long is ended, and tools work afterwards', async (t) => {
  const gateway = await start(t, scratch(t), { env: { OPENCLAW_DRAIN_MS: '100' } });
  const mark = path.join(gateway.directory, 'mark');
  const call = tool(gateway.port, 'exec', { command: `echo > ${mark}; sleep 60` });
  await until(() => fs.existsSync(mark));
  gateway.child.kill('SIGUSR1');
  assert.equal((await call).error.code, 'SHUTDOWN');
  await until(() => gateway.output.match(/listening on/g).length === 2, () => gateway.output);
  assert.equal((await tool(gateway.port, 'exec', { command: 'sleep 0.2; echo works' })).result?.stdout, 'works\n');
});

test('log: JSON lines in a file of mode 0600, a short line on stdout', async (t) => {
  const gateway = await start(t, scratch(t));
  assert.match(gateway.output, new RegExp(`^\\[gateway\\] listening on ws://127\\.0\\.0\\.1:${gateway.port} \\(pid ${gateway.child.pid}\\)$`, 'm'));
  const file = path.join(gateway.directory, 'log');
  const lines = fs.readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
  assert.equal(fs.statSync(file).mode & 0o777, 0o600);
  assert.ok(lines.some((line) => line.message === 'started' && line.processors > 0 && line.interfaces.includes('lo')));
});
