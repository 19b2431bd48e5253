// Making, finding again, replacing and removing sessions; and what is left when something is killed.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { CLAWJAIL, Gateway, clawjail, here, processesWith, run, sandboxBackend, start, textOf, until } from '../harness.js';

const inspect = async (id) => {
  const { code, text, errors } = await clawjail('session', 'inspect', id, '--json');
  assert.equal(code, 0, errors);
  return JSON.parse(text);
};
/** A time to sleep that nobody else on this host sleeps. */
const someTime = () => String(randomInt(1e8, 1e9));
const isAlive = (pid) => { try { process.kill(pid, 0); return true; } catch { return false; } };

test('lifecycle: the same chat finds its session again, another chat has its own', async (t) => {
  const gateway = new Gateway(t);
  const first = await gateway.open({ scopeKey: 'agent:main:one' });
  await textOf(first, 'echo mark >/tmp/mark');
  const { supervisor, created } = await inspect(first.runtimeId);
  const again = await gateway.open({ scopeKey: 'agent:main:one' });
  assert.equal(again.runtimeId, first.runtimeId);
  assert.equal(await textOf(again, 'cat /tmp/mark'), 'mark\n');
  const now = await inspect(first.runtimeId);
  assert.deepEqual([now.supervisor, now.created, now.running], [supervisor, created, true]);
  const other = await gateway.open({ scopeKey: 'agent:main:two' });
  assert.notEqual(other.runtimeId, first.runtimeId);
  assert.equal((await run(other, 'cat /tmp/mark')).code, 1);
});

test('lifecycle: ten starts at once make one session', async (t) => {
  const gateway = new Gateway(t);
  const handles = await Promise.all(Array.from({ length: 10 }, () => gateway.open()));
  const supervisors = new Set();
  for (const handle of handles) supervisors.add(await textOf(handle, 'readlink /proc/self/ns/pid'));
  assert.equal(supervisors.size, 1);
});

test('lifecycle: what clawjail knows of a session', async (t) => {
  const gateway = new Gateway(t);
  const handle = await gateway.open({ scopeKey: 'agent:main:telegram:group:-100123' });
  const found = await inspect(handle.runtimeId);
  assert.deepEqual([found.id, found.running, found.labels['openclaw.scope'], found.labels['openclaw.config']], [handle.runtimeId, true, 'agent:main:telegram:group:-100123', handle.configLabel]);
  assert.equal(found.configuration.workspace, `${gateway.workspace('agent')}:/workspace`);
  const { text } = await clawjail('session', 'list', '--json');
  assert.ok(text.split('\n').filter(Boolean).map((line) => JSON.parse(line)).some(({ id }) => id === handle.runtimeId));
  assert.match((await clawjail('ps')).text, new RegExp(handle.runtimeId));
});

test('lifecycle: OpenClaw\'s view of it', async (t) => {
  const gateway = new Gateway(t);
  const handle = await gateway.open();
  assert.equal(handle.configLabelKind, 'Profile');
  assert.deepEqual(await gateway.describe(handle), { running: true, actualConfigLabel: handle.configLabel, configLabelMatch: true });
  gateway.runtimes.get(handle.runtimeId).image = `${gateway.pluginConfig.profile}@000000000000`;
  assert.equal((await gateway.describe(handle)).configLabelMatch, false);
  gateway.runtimes.get(handle.runtimeId).image = handle.configLabel;
  await clawjail('session', 'remove', handle.runtimeId);
  assert.deepEqual(await gateway.describe(handle), { running: false, actualConfigLabel: handle.configLabel, configLabelMatch: true });
});

test('lifecycle: another configuration makes another session, unless a command still runs', async (t) => {
  const gateway = new Gateway(t);
  const first = await gateway.open();
  await textOf(first, 'echo mark >/tmp/mark');
  const command = await start(first, 'exec sleep 1000');
  await until(async () => (await inspect(first.runtimeId)).execs > 0, 'it runs');
  await assert.rejects(gateway.open({ docker: { memory: '256m' } }), /made with another configuration, and \d+ commands? still runs? in it/);
  assert.equal(await textOf(first, 'cat /tmp/mark'), 'mark\n');
  await command.cancel();
  const second = await gateway.open({ docker: { memory: '256m' } });
  assert.equal(second.runtimeId, first.runtimeId);
  assert.notEqual(second.configLabel, first.configLabel);
  assert.equal((await run(second, 'cat /tmp/mark')).code, 1);
});

test('lifecycle: remove ends everything at once, and again is no error', async (t) => {
  const gateway = new Gateway(t);
  const handle = await gateway.open();
  const time = someTime();
  const command = await start(handle, `trap "" TERM; setsid sleep ${time} & sleep ${time}`);
  await until(() => processesWith(`sleep\0${time}`).length === 2, 'it runs');
  const entry = gateway.runtimes.get(handle.runtimeId);
  const { removeRuntime } = sandboxBackend('clawjail').manager;
  await removeRuntime({ entry, config: {} });
  assert.deepEqual(processesWith(`sleep\0${time}`), []);
  assert.notEqual((await command.result).code, 0);
  await removeRuntime({ entry, config: {} });
  const { code, text, errors } = await clawjail('session', 'remove', handle.runtimeId);
  assert.equal(code, 0);
  assert.match(text + errors, new RegExp(`no session '${handle.runtimeId}': nothing to remove`));
});

test('lifecycle: what is not there is said by a status of its own', async () => {
  for (const words of [['inspect', 'oc-none'], ['exec', 'oc-none', '--', 'true'], ['kill', 'oc-none', '--exec-id', 'x']]) {
    const { code, errors } = await clawjail('session', ...words);
    assert.deepEqual([code, errors.split('\n').length], [120, 2], `${words}: ${errors}`);
    assert.match(errors, /^clawjail: /);
  }
  assert.equal((await clawjail('session', 'frobnicate')).code, 64);
});

test('lifecycle: a killed supervisor takes everything along, and the next command starts anew', async (t) => {
  const gateway = new Gateway(t);
  const handle = await gateway.open();
  const time = someTime();
  const command = await start(handle, `setsid sleep ${time} & sleep ${time}`);
  await until(() => processesWith(`sleep\0${time}`).length === 2, 'it runs');
  await textOf(handle, 'echo mark >/tmp/mark; echo kept >/workspace/kept');
  const { supervisor } = await inspect(handle.runtimeId);
  process.kill(supervisor, 'SIGKILL');
  assert.notEqual((await command.result).code, 0);
  await until(() => processesWith(`sleep\0${time}`).length === 0, 'all is gone');
  // Seen as dead, unless another jail's start has cleared it away already.
  const { code, text } = await clawjail('session', 'inspect', handle.runtimeId, '--json');
  assert.ok(code === 120 || JSON.parse(text).running === false, text);
  // The exec tool, from a handle that knows nothing of it.
  assert.equal(await textOf(handle, 'test -e /tmp/mark || cat kept'), 'kept\n');
  const again = await inspect(handle.runtimeId);
  assert.equal(again.running, true);
  // And the file tools.
  process.kill(again.supervisor, 'SIGKILL');
  assert.equal((await handle.runShellCommand({ script: 'cat /workspace/kept' })).stdout.toString(), 'kept\n');
});

test('lifecycle: create after the supervisor was killed, again and again', async (t) => {
  const gateway = new Gateway(t);
  for (let round = 0; round < 5; round += 1) {
    const handle = await gateway.open();
    assert.equal(await textOf(handle, 'echo ok'), 'ok\n');
    process.kill((await inspect(handle.runtimeId)).supervisor, 'SIGKILL');
  }
});

test('lifecycle: prune removes dead ones and says so', async (t) => {
  const gateway = new Gateway(t);
  const [dead, alive] = [await gateway.open({ scopeKey: 'dead' }), await gateway.open({ scopeKey: 'alive' })];
  const { supervisor } = await inspect(dead.runtimeId);
  process.kill(supervisor, 'SIGKILL');
  await until(() => !isAlive(supervisor), 'it is dead');
  const { code, text } = await clawjail('session', 'prune', '--idle', '24h', '--age', '7d');
  assert.equal(code, 0);
  // Another start of any jail may have cleared it before.
  assert.ok(!text.includes(alive.runtimeId));
  assert.equal((await clawjail('session', 'inspect', dead.runtimeId)).code, 120);
  assert.equal((await inspect(alive.runtimeId)).running, true);
});

test('lifecycle: a killed gateway leaves nothing but what pruning removes', async (t) => {
  const gateway = new Gateway(t);
  const settings = { pluginConfig: gateway.pluginConfig, prefix: gateway.prefix, agent: gateway.workspace('agent'), time: someTime() };
  const temporary = fs.mkdtempSync(path.join(os.tmpdir(), 'clawjail-openclaw-'));
  t.after(() => fs.rmSync(temporary, { recursive: true, force: true }));
  const child = spawn(process.execPath, [here('helpers/gateway.js'), JSON.stringify(settings)], {
    env: { ...process.env, CLAWJAIL, TMPDIR: temporary }, stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (chunk) => { said += chunk; });
  await until(() => said.includes('\n'), 'the gateway runs a command');
  const { runtimeId } = JSON.parse(said);
  const environments = () => fs.readdirSync(temporary).filter((name) => name.startsWith('openclaw-clawjail-'));
  assert.deepEqual([environments().length, processesWith(`sleep\0${settings.time}`).length], [1, 2]);
  child.kill('SIGKILL');
  await new Promise((resolve) => { child.on('close', resolve); });
  // The next gateway starts, and prunes what the registry knows.
  process.env.TMPDIR = temporary;
  try { gateway.load('full'); } finally { delete process.env.TMPDIR; }
  assert.deepEqual(environments(), [], 'no environment of a command is left');
  await sandboxBackend('clawjail').manager.removeRuntime({ entry: { containerName: runtimeId }, config: {} });
  assert.deepEqual(processesWith(`sleep\0${settings.time}`), []);
  await until(() => processesWith(runtimeId).length === 0, `no process knows it: ${processesWith(runtimeId).map((pid) => fs.readFileSync(`/proc/${pid}/cmdline`, 'latin1'))}`);
  const runtimeDirectory = process.getuid() === 0 ? '/run/clawjail' : path.join(process.env.XDG_RUNTIME_DIR, 'clawjail');
  assert.equal(fs.existsSync(path.join(runtimeDirectory, runtimeId)), false);
});
