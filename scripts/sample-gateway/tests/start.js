import { test } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { once } from 'node:events';
import { launch, request, scratch, start, statusOf, tool, until } from './harness.js';

test('start: a token is made once, kept 0600, and works', async (t) => {
  const directory = scratch(t);
  const env = { OPENCLAW_GATEWAY_TOKEN: '' };
  const tokenIn = (gateway) => JSON.parse(fs.readFileSync(gateway.configFile)).gateway.auth.token;
  const first = await start(t, directory, { env });
  const token = tokenIn(first);
  assert.match(token, /^[0-9a-f]{48}$/);
  assert.equal(fs.statSync(first.configFile).mode & 0o777, 0o600);
  assert.ok(!first.output.includes(token) && !fs.readFileSync(path.join(directory, 'log'), 'utf8').includes(token));
  assert.equal((await request(first.port, 'GET', '/sessions', { token })).status, 200);
  first.child.kill('SIGTERM');
  await first.exited;
  const second = await start(t, directory, { env });
  assert.equal(tokenIn(second), token);
});

test('start: a read-only configuration is left alone, and without any token that is a refusal', async (t) => {
  const directory = scratch(t);
  const gateway = await start(t, directory, { env: { OPENCLAW_CONFIG_READONLY: '1' } });
  assert.equal(JSON.parse(fs.readFileSync(gateway.configFile)).meta, undefined);
  const other = launch(t, scratch(t), { env: { OPENCLAW_CONFIG_READONLY: '1', OPENCLAW_GATEWAY_TOKEN: '' } });
  assert.equal(await statusOf(other), 78);
  assert.match(other.output, /set OPENCLAW_GATEWAY_TOKEN/);
});

test('start: configuration that cannot be right ends with 78, and stays as it is', async (t) => {
  for (const config of ['{"gateway":', '[]', '{"gateway":[]}', '{"gateway":{"port":"x"}}', '{"logging":{"file":"relative"}}', '{"gateway":{"auth":{"token":7}}}']) {
    const gateway = launch(t, scratch(t), { config });
    assert.equal(await statusOf(gateway), 78, config);
    assert.match(gateway.output, /cannot start: .*openclaw\.json: /);
    assert.equal(fs.readFileSync(gateway.configFile, 'utf8'), config);
    assert.equal(fs.existsSync(path.join(gateway.directory, 'gateway.lock')), false);
  }
  const badPort = launch(t, scratch(t), { args: ['--port', 'ssh'] });
  assert.equal(await statusOf(badPort), 78);
});

test('start: a state directory that cannot be made ends with 78 and says so', async (t) => {
  const directory = scratch(t);
  fs.writeFileSync(path.join(directory, 'file'), '');
  const gateway = launch(t, directory, { env: { OPENCLAW_STATE_DIR: path.join(directory, 'file', 'state') } });
  assert.equal(await statusOf(gateway), 78);
  assert.match(gateway.output, /state directory .* cannot be made/);
});

test('start: a port that is taken ends with 1, says so, and frees the lock', async (t) => {
  const directory = scratch(t);
  const occupant = net.createServer().listen(0, '127.0.0.1');
  t.after(() => occupant.close());
  await once(occupant, 'listening');
  const { port } = occupant.address();
  const gateway = launch(t, directory, { args: ['--port', String(port)], env: { OPENCLAW_GATEWAY_PORT: '1' } });
  assert.equal(await statusOf(gateway), 1);
  assert.match(gateway.output, new RegExp(`cannot listen on 127.0.0.1:${port}: EADDRINUSE`));
  assert.equal(fs.existsSync(path.join(directory, 'gateway.lock')), false);
});

test('start: without netlink, loopback or processors it ends with 1 and an explanation', async (t) => {
  const cases = [
    ['os.networkInterfaces = () => { throw new Error("EPERM"); };', /AF_NETLINK/],
    ['os.networkInterfaces = () => ({});', /loopback interface is down/],
    ['os.cpus = () => [];', /\/proc\/cpuinfo/],
  ];
  for (const [fault, message] of cases) {
    const gateway = launch(t, scratch(t), { preload: `import os from 'node:os'; ${fault}` });
    assert.equal(await statusOf(gateway), 1);
    assert.match(gateway.output, message);
  }
});

test('start: the configuration is watched, and what is wrong with an edit does not count', async (t) => {
  const gateway = await start(t, scratch(t));
  const config = JSON.parse(fs.readFileSync(gateway.configFile));
  fs.writeFileSync(gateway.configFile, '{');
  await until(() => /openclaw\.json.*configuration in force stays/.test(gateway.output), () => gateway.output);
  fs.writeFileSync(`${gateway.configFile}.new`, JSON.stringify({ ...config, changed: true }));
  fs.renameSync(`${gateway.configFile}.new`, gateway.configFile);
  await until(() => /openclaw\.json changed: configuration reloaded/.test(gateway.output), () => gateway.output);
  assert.equal((await request(gateway.port, 'GET', '/sessions')).status, 200);
});

test('start: without inotify it runs all the same', async (t) => {
  const preload = `import fs from 'node:fs'; fs.watch = () => { throw Object.assign(new Error('inotify_init1: EPERM'), { code: 'EPERM' }); };`;
  const gateway = await start(t, scratch(t), { preload });
  assert.match(gateway.output, /inotify_init1/);
  assert.equal((await tool(gateway.port, 'env', {})).ok, true);
});
