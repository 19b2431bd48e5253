// The other way: OpenClaw's own ssh backend, with `ssh.command` set to clawjail-ssh. Nothing of the plugin is in it.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { CLAWJAIL, atEnd, clawjail, finished, here, scratch, until, writeFor } from '../harness.js';

const ROOT = '/workspace';

/** As root a session needs a profile with a user, and profiles that are called by name are the host's, not a test's. */
const options = { skip: process.getuid() === 0 && 'as root it would need a profile in the host\'s own directory' };

/** As OpenClaw quotes every word of a remote command. */
const quoted = (words) => words.map((word) => `'${word.replaceAll("'", `'"'"'`)}'`).join(' ');

/** A target of the ssh backend, `ID@PROFILE`: OpenClaw writes a configuration file for it, and names it openclaw-sandbox. */
function target(t) {
  const id = `ssh-${randomBytes(6).toString('hex')}`;
  const directory = scratch(t);
  const environment = { ...process.env, XDG_CONFIG_HOME: path.join(directory, 'config'), XDG_STATE_HOME: path.join(directory, 'state') };
  writeFor(path.join(directory, 'config/clawjail/profiles/chat.json5'), '{ extends: "session", optional: ["cgroup", "groups"] }');
  const program = path.join(directory, 'clawjail-ssh');
  fs.symlinkSync(CLAWJAIL, program);
  const config = path.join(directory, 'ssh_config');
  fs.writeFileSync(config, [
    'Host openclaw-sandbox', '  HostName chat', '  Port 22', '  BatchMode yes', '  ConnectTimeout 5', '  ServerAliveInterval 15',
    '  ServerAliveCountMax 3', '  StrictHostKeyChecking yes', '  UpdateHostKeys yes', `  User ${id}`, '',
  ].join('\n'), { mode: 0o600 });
  atEnd(t, () => clawjail('session', 'remove', id));

  const start = (remote, { input = '', pty, words = pty ? ['-tt', '-o', 'RequestTTY=force', '-o', 'SetEnv=TERM=xterm-256color'] : ['-T', '-o', 'RequestTTY=no'] } = {}) => {
    const argv = [program, '-F', config, ...words, 'openclaw-sandbox', remote];
    const line = pty ? ['python3', here('helpers/terminal.py'), JSON.stringify(pty), ...argv] : argv;
    const child = spawn(line[0], line.slice(1), { env: environment, stdio: ['pipe', 'pipe', 'pipe'] });
    child.stdin.end(input);
    return { child, result: finished(child) };
  };
  const run = (words, options) => start(typeof words === 'string' ? words : quoted(words), options).result;
  const script = async (text, args = [], options = {}) => {
    const { code, stdout, errors } = await run(['/bin/sh', '-c', text, 'openclaw-sandbox-fs', ...args], options);
    assert.deepEqual([code, errors], [0, ''], text);
    return stdout.toString();
  };
  return { config, program, start, run, script };
}

test('ssh: the workspace is seeded by tar, byte by byte', options, async (t) => {
  const { run, script } = target(t);
  const seed = scratch(t);
  const big = randomBytes(32 << 20);
  for (const [name, content] of [['big', big], ['deep/er/file', 'x'], ['with space', "it's"]]) {
    fs.mkdirSync(path.dirname(path.join(seed, name)), { recursive: true });
    fs.writeFileSync(path.join(seed, name), content);
  }
  fs.symlinkSync('with space', path.join(seed, 'link'));
  fs.chmodSync(path.join(seed, 'deep/er/file'), 0o700);
  const { stdout } = spawnSync('tar', ['-C', seed, '-cf', '-', '.'], { maxBuffer: 64 << 20 });
  const place = `${ROOT}/openclaw-sandbox-agent-main/workspace`;
  assert.equal(await script(`if [ -d "$1" ]; then printf "1\\n"; else printf "0\\n"; fi`, [place]), '0\n');
  await script('mkdir -p -- "$1" && tar -xf - -C "$1"', [place], { input: stdout });
  assert.equal(await script('cd "$1" && sha256sum <big && cat deep/er/file link && stat -c %a deep/er/file', [place]),
    `${createHash('sha256').update(big).digest('hex')}  -\nxit's700\n`);
  assert.equal(createHash('sha256').update((await run(['cat', '--', `${place}/big`])).stdout).digest('hex'), createHash('sha256').update(big).digest('hex'));
  await script('rm -rf -- "$1"', [`${ROOT}/openclaw-sandbox-agent-main`]);
  assert.equal(await script('find "$1" -mindepth 1', [ROOT]), '');
});

test('ssh: words arrive as they were quoted', options, async (t) => {
  const { script, run } = target(t);
  const args = ['', ' a  b ', '*', '$HOME', "it's", '"', '-n', '--', 'ü\n\t', '\\', '`id`', "'"];
  assert.deepEqual((await script('printf "%s\\0" "$0" "$@"', args)).split('\0').slice(0, -1), ['openclaw-sandbox-fs', ...args]);
  assert.equal((await run(`'/bin/sh' '-c' 'cd '"'"'/workspace'"'"' && pwd'`)).text, '/workspace\n');
  assert.equal((await run(['env', 'A=one two', 'B=x\ny', '/bin/sh', '-c', 'printf "%s|%s" "$A" "$B"'])).text, 'one two|x\ny');
});

test('ssh: statuses, signals, inputs and outputs', options, async (t) => {
  const { run } = target(t);
  for (const status of [0, 1, 64, 75, 120, 125, 126, 127, 255]) assert.equal((await run(['/bin/sh', '-c', `exit ${status}`])).code, status);
  assert.equal((await run(['/bin/sh', '-c', 'kill -TERM $$'])).code, 143);
  const both = await run(['/bin/sh', '-c', 'cat; echo err >&2'], { input: 'in' });
  assert.deepEqual([both.code, both.text, both.errors], [0, 'in', 'err\n']);
  const input = Buffer.alloc(16 << 20, 'all work\n');
  assert.ok((await run(['cat'], { input })).stdout.equals(input));
});

test('ssh: one session from command to command, and the next target\'s is another', options, async (t) => {
  const [first, second] = [target(t), target(t)];
  await first.script('echo mine >/tmp/mark; (setsid sleep 5201 >/dev/null 2>&1 &)');
  assert.equal(await first.script('cat /tmp/mark'), 'mine\n');
  assert.match(await first.script('cat /proc/[0-9]*/cmdline | tr "\\0" " "'), /sleep 5201/);
  assert.notEqual((await second.run(['cat', '/tmp/mark'])).code, 0);
  assert.doesNotMatch(await second.script('cat /proc/[0-9]*/cmdline | tr "\\0" " "'), /sleep 5201/);
});

test('ssh: nothing of the host is there, and nothing of its environment', options, async (t) => {
  process.env.SECRET_OF_THE_HOST = 'of the host';
  t.after(() => { delete process.env.SECRET_OF_THE_HOST; });
  const { run, script } = target(t);
  assert.doesNotMatch(await script('env'), /of the host/);
  for (const place of ['/root/.ssh', '/home/tester', '/etc/shadow', '/run/clawjail']) assert.notEqual((await run(['ls', place])).code, 0, place);
});

test('ssh: with a terminal', options, async (t) => {
  const { run } = target(t);
  const { code, text } = await run(['/bin/sh', '-c', 'test -t 0 && stty size; echo "$TERM"; read x; echo "got $x"; exit 7'], { pty: { rows: 30, columns: 90, steps: [['expect', 'xterm-256color'], ['send', 'hi\r'], ['expect', 'got hi']] } });
  assert.deepEqual([code, text], [7, '30 90\r\nxterm-256color\r\nhi\r\ngot hi\r\n']);
});

test('ssh: the end of the client ends what it started', options, async (t) => {
  const { start, script } = target(t);
  const command = start(quoted(['/bin/sh', '-c', 'echo ready; setsid sleep 5202 & (setsid sleep 5202 &); sleep 5202']));
  await new Promise((resolve) => { command.child.stdout.once('data', resolve); });
  const running = async () => Number(await script('n=0; for f in /proc/[0-9]*/cmdline; do [ "$(tr "\\0" " " <"$f" 2>/dev/null)" = "sleep 5202 " ] && n=$((n+1)); done; echo $n'));
  await until(async () => await running() === 3, 'all run');
  command.child.kill('SIGKILL');
  await command.result;
  await until(async () => await running() === 0, 'none runs');
});

test('ssh: what is not OpenClaw\'s form is refused', options, async (t) => {
  const { start, program, config } = target(t);
  for (const words of [['-L', '8080:localhost:80'], ['-o', 'ProxyCommand=touch /tmp/x'], ['-A'], ['-tt', '-R', '1:a:1'], ['-o', 'SetEnv'], ['-o', 'SendEnv=*']]) {
    const { code, errors } = await start('true', { words }).result;
    assert.equal(code, 255, words.join(' '));
    assert.match(errors, /^clawjail: .*does not take/);
  }
  for (const argv of [[], ['-F', config], ['-F', config, '-T', '-o', 'RequestTTY=no', 'openclaw-sandbox'], ['-F', `${config}-none`, '-T', 'openclaw-sandbox', 'true'], ['-T', 'openclaw-sandbox', 'true']]) {
    assert.equal(spawnSync(program, argv, { input: '' }).status, 255, argv.join(' '));
  }
});

test('ssh: a target that is no session and profile is refused', options, async (t) => {
  const { config, run } = target(t);
  const good = fs.readFileSync(config, 'utf8');
  for (const [line, bad] of [[/User .*/, 'User ../x'], [/User .*/, 'User -x'], [/User .*/, ''], [/HostName .*/, 'HostName /etc/passwd'], [/HostName .*/, 'HostName no-such-profile'], [/HostName .*/, '']]) {
    fs.writeFileSync(config, good.replace(line, bad));
    const { code, errors } = await run(['true']);
    assert.equal(code, 255, bad);
    assert.match(errors, /^clawjail: /);
  }
});
