import { test } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { ClawjailError, Program } from '../../lib/program.js';
import { createBackend } from '../../lib/backend.js';
import { EnvironmentFiles } from '../../lib/environment.js';
import { createManager } from '../../lib/manager.js';
import { Session } from '../../lib/session.js';
import { Gateway, scratch } from '../harness.js';

/** A program in clawjail's place that does what a test needs. */
function standIn(t, script) {
  const file = path.join(scratch(t), 'clawjail');
  fs.writeFileSync(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return new Program(file);
}

test('program: is looked up once, in absolute directories of PATH', (t) => {
  const directory = scratch(t);
  const file = path.join(directory, 'clawjail');
  fs.writeFileSync(file, '', { mode: 0o755 });
  const before = process.env.PATH;
  t.after(() => { process.env.PATH = before; });
  process.env.PATH = `.::/missing:${directory}`;
  const program = new Program('clawjail');
  assert.equal(program.file, file);
  process.env.PATH = '.';
  assert.equal(program.file, file);
  const here = process.cwd();
  t.after(() => process.chdir(here));
  process.chdir(directory);
  assert.throws(() => new Program('clawjail').file, /'clawjail' is not in PATH: install clawjail, or set plugins\.entries\.clawjail\.config\.command/);
  fs.chmodSync(file, 0o644);
  assert.throws(() => new Program(directory).file, /cannot be run/);
});

test('program: knows little of the gateway\'s environment', async (t) => {
  process.env.OPENCLAW_GATEWAY_TOKEN = 'secret';
  t.after(() => { delete process.env.OPENCLAW_GATEWAY_TOKEN; });
  const { stdout } = await standIn(t, 'env').collect([]);
  const names = stdout.toString().split('\n').map((line) => line.split('=')[0]);
  const allowed = ['PATH', 'HOME', 'USER', 'LOGNAME', 'LANG', 'TZ', 'TERM', 'XDG_RUNTIME_DIR', 'XDG_CONFIG_HOME', 'XDG_STATE_HOME', 'PWD', '_', 'OLDPWD', 'SHLVL', ''];
  assert.deepEqual(names.filter((name) => !allowed.includes(name)), []);
});

test('program: input, descriptor 3, both outputs and the status', async (t) => {
  const program = standIn(t, 'cat; cat <&3 >&2; exit 7');
  const input = Buffer.alloc(3 << 20, 'ab');
  const result = await program.collect(['x'], { input, descriptor: Buffer.from('A=1\0') });
  assert.equal(result.code, 7);
  assert.ok(result.stdout.equals(input));
  assert.equal(result.stderr.toString(), 'A=1\0');
  assert.equal((await standIn(t, 'kill -TERM $$').collect([])).code, 143);
  assert.equal((await standIn(t, 'exec <&-; exit 3').collect([], { input })).code, 3, 'which reads nothing');
});

test('program: is bounded in time and in output', async (t) => {
  await assert.rejects(standIn(t, 'exec sleep 60').collect(['session', 'list'], { timeout: 100 }), /clawjail session list failed: it took longer than 0.1 s/);
  await assert.rejects(standIn(t, 'exec cat /dev/zero').collect(['session', 'list'], { most: 1 << 20 }), /more than 1 MiB of output/);
});

test('program: an abort ends it', async (t) => {
  const program = standIn(t, 'exec sleep 60');
  await assert.rejects(program.collect([], { signal: AbortSignal.abort() }), { name: 'AbortError' });
  const controller = new AbortController();
  const running = program.collect([], { signal: controller.signal });
  setTimeout(() => controller.abort(new Error('enough')), 50);
  await assert.rejects(running, /enough/);
});

test('program: statuses become errors that say what to do', async (t) => {
  for (const [status, remedy] of [[64, /update both$/], [78, /cgroup: no$/], [121, /the next command starts it again$/], [123, /cgroup: no$/], [125, /cgroup: no$/]]) {
    await assert.rejects(standIn(t, `echo "clawjail: cgroup: no" >&2; exit ${status}`).ask(['list']), (error) => {
      assert.ok(error instanceof ClawjailError);
      assert.equal(error.status, status);
      assert.match(error.message, new RegExp(`^clawjail session list failed \\(status ${status}\\): cgroup: no`));
      return remedy.test(error.message);
    });
  }
  assert.deepEqual(await standIn(t, 'echo x; exit 120').ask(['list'], { expected: [0, 120] }), { status: 120, text: 'x\n' });
});

test('program: the commands of a session and their words', async (t) => {
  const directory = scratch(t);
  const log = path.join(directory, 'log');
  const session = new Session(standIn(t, `printf '%s|' "$@" >>${log}; echo >>${log}; exec echo '{"running":true}'`), 'oc-1', { words: ['--memory', '1G'], label: 'session@1', scopeKey: 'agent:a' });
  await session.ensure();
  assert.deepEqual(await session.inspect(), { running: true });
  assert.equal(await session.kill('u', 'INT', 1000), true);
  await session.remove();
  assert.deepEqual(fs.readFileSync(log, 'utf8').split('\n'), [
    'session|create|--id|oc-1|--memory|1G|--label|openclaw.config=session@1|--label|openclaw.scope=agent:a|',
    'session|inspect|oc-1|--json|', 'session|kill|oc-1|--exec-id|u|--signal|INT|', 'session|remove|oc-1|', '',
  ]);
  await assert.rejects(new Session(standIn(t, 'echo {'), 'oc-1').inspect(), /no JSON/);
  assert.equal(await new Session(standIn(t, 'exit 121'), 'oc-1').kill('u', 'KILL', 1000), false);
});

/** In clawjail's place: says that the session exists with another configuration until it is removed. */
const conflicting = (directory, execs) => `
case $2 in
create) [ -e ${directory}/removed ] || exit 122 ;;
inspect) echo '{"running":true,"execs":${execs},"labels":{}}' ;;
remove) : >${directory}/removed ;;
esac`;

test('session: one with another configuration is replaced, unless something runs in it', async (t) => {
  const idle = scratch(t);
  await new Session(standIn(t, conflicting(idle, 0)), 'oc-1', { words: [] }).ensure();
  assert.ok(fs.existsSync(path.join(idle, 'removed')));
  const busy = scratch(t);
  await assert.rejects(new Session(standIn(t, conflicting(busy, 2)), 'oc-1', { words: [] }).ensure(), /made with another configuration, and 2 commands still run.*clawjail session remove oc-1/);
  assert.ok(!fs.existsSync(path.join(busy, 'removed')));
});

test('manager: a runtime is described by what it was made from', async (t) => {
  const describe = (script, image, profile = 'session') => createManager({ config: { profile }, program: standIn(t, script) }).describeRuntime({ entry: { containerName: 'oc-1', image } });
  const running = `echo '{"running":true,"labels":{"openclaw.config":"session@1"}}'`;
  assert.deepEqual(await describe(running, 'session@1'), { running: true, actualConfigLabel: 'session@1', configLabelMatch: true });
  assert.deepEqual(await describe(running, 'session@2'), { running: true, actualConfigLabel: 'session@1', configLabelMatch: false });
  assert.deepEqual(await describe(running, 'session@1', 'other'), { running: true, actualConfigLabel: 'session@1', configLabelMatch: false });
  assert.deepEqual(await describe('exit 120', 'session@1'), { running: false, actualConfigLabel: 'session@1', configLabelMatch: true });
  await assert.rejects(describe('exit 125', 'session@1'), /status 125/);
  await assert.rejects(createManager({ config: {}, program: standIn(t, '') }).removeRuntime({ entry: { containerName: '--help' } }), /not the id/);
});

test('backend: a runtime that OpenClaw has retired meanwhile is not started', async (t) => {
  const gateway = new Gateway(t, { pluginConfig: { command: '/bin/false' } });
  const log = path.join(scratch(t), 'log');
  const context = { id: 'clawjail', config: {}, program: standIn(t, `echo "$2" >>${log}`), environmentFiles: new EnvironmentFiles(scratch(t)) };
  let current = false;
  const params = gateway.params();
  params.assertRuntimeCurrent = () => { if (!current) throw new Error('retired'); };
  await assert.rejects(createBackend(params, context), /retired/);
  assert.ok(!fs.existsSync(log));
  current = true;
  const handle = await createBackend(params, context);
  current = false;
  await assert.rejects(handle.buildExecSpec({ command: 'true', env: {}, usePty: false }), /retired/);
  await assert.rejects(handle.runShellCommand({ script: 'true' }), /retired/);
  assert.throws(() => handle.prepareProcessCleanup({}), /retired/);
  assert.equal(fs.readFileSync(log, 'utf8'), 'create\n');
});
