// Ending what runs.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { Gateway, run, start, textOf, until } from '../harness.js';

/** How many `sleep MARK` run in the session. */
const count = async (handle, mark) => Number((await handle.runShellCommand({
  script: 'n=0; for f in /proc/[0-9]*/cmdline; do [ "$(tr "\\0" " " <"$f" 2>/dev/null)" = "sleep $1 " ] && n=$((n+1)); done; echo $n', args: [mark],
})).stdout.toString());

/** A command whose descendants leave its process group, its session and its parent, and ignore what they can. */
const family = (mark) => `
trap "" TERM INT HUP
sleep ${mark} &
setsid sleep ${mark} &
setsid sh -c 'trap "" TERM INT HUP; (setsid sleep ${mark} &) ; sleep ${mark} & sleep ${mark}' &
(setsid nohup sleep ${mark} >/dev/null 2>&1 &)
wait`;

test('cancel: an abort ends every descendant, those too that called setsid', async (t) => {
  const handle = await new Gateway(t).open();
  const other = await start(handle, 'sleep 5001');
  const command = await start(handle, family('5002'));
  await until(async () => await count(handle, '5002') === 6, 'all six run');
  await command.cancel();
  assert.equal(await count(handle, '5002'), 0);
  assert.equal(await count(handle, '5001'), 1, 'and nobody else');
  await other.cancel();
});

test('cancel: the death of the process that OpenClaw sees is enough', async (t) => {
  const handle = await new Gateway(t).open();
  const command = await start(handle, family('5003'));
  await until(async () => await count(handle, '5003') === 6, 'all six run');
  command.child.kill('SIGKILL');
  await command.result;
  await until(async () => await count(handle, '5003') === 0, 'none runs');
});

test('cancel: OpenClaw\'s own command is aborted by its signal', async (t) => {
  const handle = await new Gateway(t).open();
  const controller = new AbortController();
  const running = handle.runShellCommand({ script: family('5004'), signal: controller.signal });
  await until(async () => await count(handle, '5004') === 6, 'all six run');
  controller.abort();
  await assert.rejects(running, { name: 'AbortError' });
  await until(async () => await count(handle, '5004') === 0, 'none runs');
  await assert.rejects(handle.runShellCommand({ script: 'touch /workspace/ran', signal: AbortSignal.abort() }), { name: 'AbortError' });
  assert.equal((await run(handle, 'test -e ran')).code, 1);
});

test('cancel: a command may tidy up when it is asked to end', async (t) => {
  const handle = await new Gateway(t).open();
  const command = await start(handle, 'trap "echo tidy >/workspace/tidy; exit 0" TERM; echo ready; while :; do sleep 0.05; done');
  await new Promise((resolve) => { command.child.stdout.once('data', resolve); });
  await command.cleanup.terminate();
  const { code } = await command.result;
  assert.equal(code, 0);
  assert.equal(await textOf(handle, 'cat tidy'), 'tidy\n');
});

test('cancel: what a command left in the background ends with it, if it is ended by name', async (t) => {
  const handle = await new Gateway(t).open();
  const command = await start(handle, `trap "" TERM; setsid sleep 5005 >/dev/null 2>&1 & exit 0`);
  assert.equal((await command.result).code, 0);
  await until(async () => await count(handle, '5005') === 1, 'it runs');
  await command.cleanup.terminate();
  assert.equal(await count(handle, '5005'), 0);
});

test('cancel: a command that kills what it can is ended all the same', async (t) => {
  const handle = await new Gateway(t).open();
  const other = await start(handle, 'sleep 5007');
  const hostile = `
import os, signal, subprocess, sys, time
subprocess.Popen(["sleep", "5008"], start_new_session=True)
for pid in range(2, 300):
    name = ""
    try: name = open(f"/proc/{pid}/cmdline").read()
    except OSError: pass
    if name: continue  # only what hides
    try: os.kill(pid, signal.SIGKILL)
    except OSError: pass
subprocess.Popen(["sleep", "5008"], start_new_session=True)
print("ready", flush=True)
time.sleep(1000)`;
  const command = await start(handle, `exec python3 -c '${hostile}'`);
  await Promise.race([new Promise((resolve) => { command.child.stdout.once('data', resolve); }), command.result]);
  await command.cancel();
  await until(async () => await count(handle, '5008') === 0, 'nothing is left of it');
  await other.cancel();
  assert.equal(await textOf(handle, 'echo still'), 'still\n');
});

test('cancel: an interrupt is ^C, and says whether anybody got it', async (t) => {
  const handle = await new Gateway(t).open();
  const command = await start(handle, 'trap "echo caught; exit 5" INT; echo ready; while :; do sleep 0.05; done');
  await new Promise((resolve) => { command.child.stdout.once('data', resolve); });
  assert.equal(await command.cleanup.interrupt(4500), true);
  const { code, stdout } = await command.result;
  assert.deepEqual([code, stdout.toString()], [5, 'ready\ncaught\n']);
  assert.equal(await command.cleanup.interrupt(4500), false);
  await command.cleanup.terminate();
});

test('cancel: signals to the process that OpenClaw sees reach the command', async (t) => {
  const handle = await new Gateway(t).open();
  for (const [name, number] of [['SIGTERM', 15], ['SIGINT', 2], ['SIGHUP', 1], ['SIGUSR1', 10]]) {
    const command = await start(handle, 'echo ready; exec sleep 5006');
    await new Promise((resolve) => { command.child.stdout.once('data', resolve); });
    command.child.kill(name);
    const { code, signal } = await command.result;
    // A client may end by the signal itself, as shells do.
    assert.ok(code === 128 + number || signal === name, `${name}: ${code} ${signal}`);
  }
});

test('cancel: a fork bomb is held by the limit, and ended', async (t) => {
  const handle = await new Gateway(t).open({ docker: { pidsLimit: 40 } });
  const command = await start(handle, 'f() { f | f & f; }; f 2>/dev/null; sleep 1');
  await new Promise((resolve) => { setTimeout(resolve, 500); });
  await command.cancel();
  assert.equal(await textOf(handle, 'echo alive'), 'alive\n');
});
