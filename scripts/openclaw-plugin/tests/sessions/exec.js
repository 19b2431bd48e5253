// Commands in a session, as OpenClaw's exec tool runs them.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { Gateway, run, start, textOf, until } from '../harness.js';

const hash = (bytes) => createHash('sha256').update(bytes).digest('hex');

test('exec: 64 MiB arrive byte by byte on both outputs', async (t) => {
  const gateway = new Gateway(t);
  const handle = await gateway.open();
  const bytes = Buffer.alloc(64 << 20);
  for (let i = 0; i < bytes.length; i += 4) bytes.writeUInt32LE(Math.imul(i, 2654435761) >>> 0, i);
  fs.writeFileSync(path.join(gateway.workspace('agent'), 'big'), bytes);
  const result = await run(handle, 'cat big & cat big >&2; wait; exit 9');
  assert.deepEqual([result.code, result.stdout.length, result.stderr.length], [9, bytes.length, bytes.length]);
  assert.equal(hash(result.stdout), hash(bytes));
  assert.equal(hash(result.stderr), hash(bytes));
  const file = await handle.runShellCommand({ script: 'cat -- "$1"', args: ['/workspace/big'] });
  assert.equal(hash(file.stdout), hash(bytes));
});

test('exec: 64 MiB go in byte by byte, and then the input ends', async (t) => {
  const handle = await new Gateway(t).open();
  const input = Buffer.alloc(64 << 20, 'all work and no play\n');
  const result = await handle.runShellCommand({ script: 'sha256sum; read line; echo "$?"', stdin: input });
  assert.equal(result.stdout.toString(), `${hash(input)}  -\n1\n`);
  assert.equal(await textOf(handle, 'wc -c', { input: 'abc' }), '3\n');
  assert.equal(await textOf(handle, 'cat; echo end'), 'end\n', 'no input is an empty one');
});

test('exec: an input that nobody reads stops nobody', async (t) => {
  const handle = await new Gateway(t).open();
  const { code } = await handle.runShellCommand({ script: 'exit 4', stdin: Buffer.alloc(8 << 20), allowFailure: true });
  assert.equal(code, 4);
});

test('exec: an output that nobody reads any more ends the command', async (t) => {
  const handle = await new Gateway(t).open();
  const { child, result } = await start(handle, 'trap "" PIPE; exec yes');
  await new Promise((resolve) => { child.stdout.once('data', resolve); });
  child.stdout.destroy();
  const { code, signal } = await result;
  assert.notEqual(code, 0, `${code} ${signal}`);
});

test('exec: statuses and signals are those of the command', async (t) => {
  const handle = await new Gateway(t).open();
  for (const status of [0, 1, 2, 63, 64, 77, 78, 119, 120, 121, 122, 123, 124, 125, 126, 127, 128, 200, 255]) {
    assert.equal((await run(handle, `exit ${status}`)).code, status);
  }
  for (const [name, number] of [['TERM', 15], ['KILL', 9], ['INT', 2], ['HUP', 1], ['USR1', 10], ['SEGV', 11], ['PIPE', 13]]) {
    assert.equal((await run(handle, `kill -${name} $$`)).code, 128 + number, name);
  }
  assert.equal((await run(handle, 'no-such-program')).code, 127);
  assert.equal((await run(handle, '/workspace')).code, 126);
});

test('exec: the same statuses from OpenClaw\'s own commands, which are not repeated', async (t) => {
  const handle = await new Gateway(t).open();
  for (const status of [120, 121, 122, 125]) {
    const { code } = await handle.runShellCommand({ script: 'echo . >>/workspace/times; exit "$1"', args: [String(status)], allowFailure: true });
    assert.equal(code, status);
  }
  assert.equal(await textOf(handle, 'wc -l </workspace/times'), '4\n');
  await assert.rejects(handle.runShellCommand({ script: 'echo out; echo broken >&2; exit 3' }), (error) => {
    assert.deepEqual([error.message, error.code, error.stdout.toString()], ['broken', 3, 'out\n']);
    return true;
  });
  await assert.rejects(handle.runShellCommand({ script: 'exit 3' }), /ended with status 3/);
});

test('exec: $0 and the arguments of sh -c', async (t) => {
  const handle = await new Gateway(t).open();
  const args = ['', ' a  b ', '*', '$HOME', "it's", '"', '-n', '--', 'ü\n\t', '\\'];
  const { stdout } = await handle.runShellCommand({ script: 'printf "%s\\0" "$0" "$@"', args });
  assert.deepEqual(stdout.toString().split('\0').slice(0, -1), ['openclaw-sandbox-fs', ...args]);
  assert.equal(await textOf(handle, 'printf "%s|" "$0" "$@"'), '/bin/sh|');
});

test('exec: long scripts and arguments', async (t) => {
  const handle = await new Gateway(t).open();
  const word = 'x'.repeat(120_000);
  const { stdout } = await handle.runShellCommand({ script: `# ${word}\nprintf %s "$1$2"`, args: [word, 'y'.repeat(100_000)] });
  assert.equal(stdout.length, 220_000);
  assert.equal((await textOf(handle, `: ${word}; echo ok`)), 'ok\n');
});

test('exec: the environment is exactly what OpenClaw gives, and the session\'s own', async (t) => {
  process.env.OPENCLAW_GATEWAY_TOKEN = 'of the host';
  process.env.SECRET_OF_THE_HOST = 'of the host';
  t.after(() => { delete process.env.OPENCLAW_GATEWAY_TOKEN; delete process.env.SECRET_OF_THE_HOST; });
  const handle = await new Gateway(t).open({ docker: { env: { LANG: 'C.UTF-8', OF_DOCKER: 'x' } } });
  const print = 'import os,json;print(json.dumps(dict(os.environ)))';
  const given = {
    PATH: '/usr/bin:/bin', HOME: '/workspace', EMPTY: '', SPACES: '  two  words ', LINES: 'one\ntwo\n\n', EQUALS: 'a=b=c', QUOTES: `'"\`$(id)\\`,
    UTF: 'grüße 🦞', LONG: 'z'.repeat(100_000), LD_LIBRARY_PATH: '/nowhere', _x1: '1',
  };
  const seen = JSON.parse(await textOf(handle, `python3 -c '${print}'`, { env: given, exact: true }));
  for (const added of ['PWD', 'OLDPWD', 'SHLVL', '_', 'LC_CTYPE']) delete seen[added];
  const { USER, LOGNAME, LANG, TZ, ...rest } = seen;
  assert.deepEqual(rest, given);
  assert.deepEqual([USER, LOGNAME], ['claw', 'claw']);
  const { stdout } = await handle.runShellCommand({ script: 'printf "%s|%s|%s|%s" "$OF_DOCKER" "$HOME" "$SECRET_OF_THE_HOST" "$OPENCLAW_GATEWAY_TOKEN"' });
  assert.equal(stdout.toString(), 'x|/home/claw||');
});

test('exec: a variable that cannot be passed is refused before anything starts', async (t) => {
  const handle = await new Gateway(t).open();
  for (const env of [{ 'BAD-NAME': 'secret' }, { NUL: 'sec\0ret' }]) {
    await assert.rejects(run(handle, 'true', { env }), (error) => /environment variable/.test(error.message) && !/sec/.test(error.message));
  }
});

test('exec: no value of a variable stands in any process\'s arguments', async (t) => {
  const handle = await new Gateway(t).open();
  const command = await start(handle, 'read line', { env: { TOKEN: 'value-of-a-secret' } });
  assert.ok(!command.spec.argv.join(' ').includes('value-of-a-secret'));
  assert.ok(!JSON.stringify(command.spec.env).includes('value-of-a-secret'));
  await command.result;
  assert.equal(fs.existsSync(command.spec.finalizeToken), false, 'the file is gone');
});

test('exec: working directories', async (t) => {
  const gateway = new Gateway(t);
  const workspace = gateway.workspace();
  for (const name of ['deep/er', 'with space', 'ü']) fs.mkdirSync(path.join(workspace, name), { recursive: true });
  fs.writeFileSync(path.join(workspace, 'file'), '');
  const handle = await gateway.open({ access: 'ro', workspaceDir: workspace });
  assert.deepEqual(handle.workdirRoots, ['/workspace', '/agent']);
  assert.equal(await textOf(handle, 'pwd'), '/workspace\n');
  for (const workdir of ['/workspace', '/workspace/deep/er', '/workspace/with space', '/workspace/ü', '/agent']) {
    assert.equal(await textOf(handle, 'pwd -P', { workdir }), `${workdir}\n`);
  }
  assert.equal(await handle.validateWorkdir('/workspace/./deep/../deep/er/'), '/workspace/deep/er');
  for (const workdir of ['/workspace/missing', '/workspace/file', '/tmp', '/', '/workspace/..', '/workspace/../etc', '/workspacex', 'workspace', '', '/etc', '/workspace\0/x', undefined]) {
    assert.equal(await handle.validateWorkdir(workdir), null, String(workdir));
  }
});

test('exec: a link is not followed into a working directory, by the plugin or by clawjail', async (t) => {
  const gateway = new Gateway(t);
  const handle = await gateway.open();
  await textOf(handle, 'mkdir real && ln -s real inside && ln -s /etc outside && ln -s / deep && mkdir real/sub');
  for (const workdir of ['/workspace/inside', '/workspace/inside/sub', '/workspace/outside', '/workspace/deep/etc', '/workspace/deep']) {
    assert.equal(await handle.validateWorkdir(workdir), null, workdir);
  }
  // As if it had been changed after the check.
  for (const workdir of ['/workspace/outside', '/workspace/deep', '/workspace/deep/etc', '/workspace/missing']) {
    const spec = await handle.buildExecSpec({ command: 'pwd', workdir, env: {}, usePty: false });
    const { status, stdout, stderr } = spawnSync(spec.argv[0], spec.argv.slice(1), { env: spec.env, input: '' });
    await handle.finalizeExec({ status: 'failed', exitCode: status, timedOut: false, token: spec.finalizeToken });
    assert.deepEqual([status, stdout.toString()], [125, ''], workdir);
    assert.match(stderr.toString(), /^clawjail: .*\n$/);
  }
});

test('exec: commands at the same time see each other, in one /proc', async (t) => {
  const handle = await new Gateway(t).open();
  const first = await start(handle, 'echo $$; exec sleep 1000');
  const pid = await new Promise((resolve) => { first.child.stdout.once('data', (chunk) => resolve(chunk.toString().trim())); });
  assert.equal(await textOf(handle, `tr '\\0' ' ' </proc/${pid}/cmdline`), 'sleep 1000 ');
  assert.equal(await textOf(handle, 'readlink /proc/self/ns/pid'), await textOf(handle, `readlink /proc/${pid}/ns/pid`));
  assert.equal((await handle.runShellCommand({ script: 'kill -TERM "$1"', args: [pid] })).code, 0);
  assert.equal((await first.result).code, 143);
});

test('exec: twenty at once do not get in each other\'s way', async (t) => {
  const handle = await new Gateway(t).open();
  const all = await Promise.all(Array.from({ length: 20 }, (_, i) => run(handle, `cat; echo ${i} >&2; exit ${i}`, { input: `in ${i}`, env: { N: String(i) } })));
  all.forEach((result, i) => assert.deepEqual([result.code, result.text, result.errors], [i, `in ${i}`, `${i}\n`]));
});

test('exec: what a command leaves in the background is there for the next one', async (t) => {
  const handle = await new Gateway(t).open();
  await textOf(handle, 'nohup sh -c "while :; do date >>/tmp/beats; sleep 0.05; done" >/dev/null 2>&1 & echo $! >/tmp/pid');
  const beats = async () => Number(await textOf(handle, 'wc -l </tmp/beats'));
  await until(async () => await beats() > 3, 'it goes on');
  assert.match(await textOf(handle, 'tr "\\0" " " </proc/$(cat /tmp/pid)/cmdline'), /^sh -c while/);
  await textOf(handle, 'kill $(cat /tmp/pid)');
  const last = await beats();
  assert.ok(await beats() - last <= 1);
});

test('exec: a command that leaves a process with its outputs does not hold OpenClaw up', async (t) => {
  const handle = await new Gateway(t).open();
  const began = Date.now();
  const { code } = await run(handle, 'sleep 30 >/dev/null 2>&1 & exit 0');
  assert.equal(code, 0);
  assert.ok(Date.now() - began < 10_000);
});
