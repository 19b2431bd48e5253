// One chat's session against another's.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { Gateway, NO_GROUPS, clawjail, here, run, start, textOf } from '../harness.js';

const LISTENER = `
import os, socket, sys, time
tcp = socket.create_server(("127.0.0.1", 0))
abstract = socket.socket(socket.AF_UNIX); abstract.bind("\\0" + sys.argv[1]); abstract.listen()
named = socket.socket(socket.AF_UNIX); named.bind("/tmp/" + sys.argv[1]); named.listen()
print(tcp.getsockname()[1], flush=True)
time.sleep(1000)`;

/** Two chats: one with secrets in every place, one that looks for them. */
async function stage(t) {
  const gateway = new Gateway(t);
  const mark = randomBytes(6).toString('hex');
  const secret = (name) => `${name}-${mark}`;
  const victimSpace = gateway.workspace('victim');
  const hostileSpace = gateway.workspace('hostile');
  fs.writeFileSync(path.join(victimSpace, 'notes'), secret('in-a-file'));
  const victim = await gateway.open({ scopeKey: 'victim', agentWorkspaceDir: victimSpace });
  const hostile = await gateway.open({ scopeKey: 'hostile', agentWorkspaceDir: hostileSpace });
  await textOf(victim, `echo ${secret('in-tmp')} >/tmp/${secret('named')}; echo ${secret('in-home')} >/home/claw/x`);
  const running = await start(victim, `exec python3 -c '${LISTENER}' ${secret('argument')}`, { env: { TOKEN: secret('in-environment') } });
  const port = Number(await new Promise((resolve) => { running.child.stdout.once('data', resolve); }));

  const host = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => { host.once('listening', resolve); });
  t.after(() => host.close());
  const runtime = process.getuid() === 0 ? '/run/clawjail' : path.join(process.env.XDG_RUNTIME_DIR, 'clawjail');
  const order = {
    words: ['in-a-file', 'in-tmp', 'named', 'in-home', 'argument', 'in-environment'].map(secret),
    tcp: [port, host.address().port, 22, 18789], abstract: [secret('argument')],
    paths: [`/tmp/${secret('argument')}`, runtime, '/run/clawjail', '/run/clawjail/sessions.sock', ...controlSockets(runtime, [victim, hostile])],
  };
  fs.copyFileSync(here('helpers/hostile.py'), path.join(hostileSpace, 'hostile.py'));
  fs.copyFileSync(here('helpers/hostile.py'), path.join(victimSpace, 'hostile.py'));
  const search = async (handle, options) => JSON.parse(await textOf(handle, `python3 hostile.py '${JSON.stringify(order)}'`, options));
  return { gateway, victim, hostile, running, order, search, secret };
}

const controlSockets = (runtime, handles) => handles.flatMap(({ runtimeId }) => {
  const directory = path.join(runtime, runtimeId);
  return fs.readdirSync(directory).map((name) => path.join(directory, name));
});

test('hostile: the search finds what there is, where it may', async (t) => {
  const { victim, search, secret, order } = await stage(t);
  const found = await search(victim);
  assert.deepEqual(found.files, [`/home/claw/x`, `/tmp/${secret('argument')}`, `/tmp/${secret('named')}`, '/workspace/notes'].sort());
  assert.ok(found.processes.includes(secret('argument')));
  assert.ok(found.environments.includes(secret('in-environment')));
  assert.ok(found.connected.includes(`tcp ('127.0.0.1', ${order.tcp[0]})`));
  assert.ok(found.connected.some((text) => text.startsWith('abstract')));
  assert.ok(found.sockets.includes(`/tmp/${secret('argument')}`));
});

test('hostile: nothing of another session, of the host or of clawjail', async (t) => {
  const { victim, hostile, running, search, secret } = await stage(t);
  // Without control groups a process of clawjail's stands above each command; killing it does not help (see cancel).
  const found = await search(hostile);
  if (process.getuid() !== 0 && found.signals.length === 1) found.signals = [];
  const nothing = { files: [], processes: [], environments: [], memory: [], descriptors: [], connected: [], sockets: [], signals: [], traced: [], escapes: [] };
  assert.deepEqual(found, nothing);
  // And the victim is as it was.
  assert.equal(await textOf(victim, 'cat notes'), secret('in-a-file'));
  await running.cancel();
});

test('hostile: what is shared by name is each one\'s own', async (t) => {
  const gateway = new Gateway(t);
  const [one, two] = [await gateway.open({ scopeKey: 'one', access: 'none' }), await gateway.open({ scopeKey: 'two', access: 'none' })];
  for (const namespace of ['pid', 'mnt', 'net', 'ipc', 'uts', 'user', 'cgroup']) {
    const link = `readlink /proc/self/ns/${namespace}`;
    assert.notEqual(await textOf(one, link), await textOf(two, link), namespace);
    assert.equal(await textOf(one, link), await textOf(one, link), namespace);
  }
  await textOf(one, 'echo mine >/dev/shm/x; python3 -c "import socket;s=socket.socket();s.bind((\'127.0.0.1\',8000))"');
  assert.notEqual((await run(two, 'cat /dev/shm/x')).code, 0);
});

test('hostile: a flood of processes does not drown another session', { skip: process.getuid() !== 0 && NO_GROUPS }, async (t) => {
  const gateway = new Gateway(t);
  const [hostile, victim] = [await gateway.open({ scopeKey: 'hostile' }), await gateway.open({ scopeKey: 'victim' })];
  const flood = await start(hostile, 'while :; do setsid yes >/dev/null 2>&1 & done; wait');
  const began = Date.now();
  for (let i = 0; i < 10; i += 1) assert.equal(await textOf(victim, 'echo ok'), 'ok\n');
  assert.ok(Date.now() - began < 30_000);
  await flood.cancel();
  assert.equal(await textOf(hostile, 'echo still'), 'still\n');
});

test('hostile: an output that looks like clawjail\'s does not deceive the plugin', async (t) => {
  const handle = await new Gateway(t).open();
  const script = `echo "clawjail: no session 'x'" >&2; echo x >>/workspace/times; exit 120`;
  for (let i = 1; i <= 2; i += 1) {
    assert.equal((await handle.runShellCommand({ script, allowFailure: true })).code, 120);
    assert.equal(await textOf(handle, 'wc -l <times'), `${i}\n`);
  }
});

test('hostile: a terminal cannot be typed into from inside', async (t) => {
  const handle = await new Gateway(t).open();
  const type = 'import fcntl,sys;[fcntl.ioctl(0, 0x5412, bytes([b])) for b in b"touch /tmp/typed\\n"]';
  const { text } = await run(handle, `python3 -c '${type}' && echo typed || echo refused`, { pty: {} });
  assert.match(text, /refused/);
});

test('hostile: a link swapped in a workspace does not lead a mount astray', async (t) => {
  const gateway = new Gateway(t);
  const agent = gateway.workspace('agent');
  const outside = gateway.workspace('outside');
  fs.mkdirSync(path.join(outside, 'skills'));
  fs.writeFileSync(path.join(outside, 'skills', 'stolen'), 'secret of the host');
  const attacker = await gateway.open({ scopeKey: 'attacker', agentWorkspaceDir: agent });
  const swap = `import os
os.makedirs("/workspace/real", exist_ok=True)
while True:
    try: os.symlink("${outside}/skills", "/workspace/new"); os.replace("/workspace/new", "/workspace/skills")
    except OSError: pass
    try: os.unlink("/workspace/skills"); os.mkdir("/workspace/skills"); os.rmdir("/workspace/skills")
    except OSError: pass
    try: os.rename("/workspace/real", "/workspace/skills"); os.rename("/workspace/skills", "/workspace/real")
    except OSError: pass`;
  const swapping = await start(attacker, `exec python3 -c '${swap}'`);
  let opened = 0;
  for (let round = 0; round < 25; round += 1) {
    try {
      const handle = await gateway.open({ scopeKey: `other-${round}`, agentWorkspaceDir: agent });
      opened += 1;
      assert.equal((await run(handle, 'cat skills/stolen')).text, '');
      await clawjail('session', 'remove', handle.runtimeId);
    } catch (error) {
      // Refused is fine: then nothing is shown at all.
      if (error.code === 'ERR_ASSERTION') throw error;
      assert.match(error.message, /clawjail session create failed|ENOENT/);
    }
  }
  await swapping.cancel();
  assert.ok(opened > 0, 'some opened');
});
