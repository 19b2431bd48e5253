// What a session shows, and what of it can be written; and what OpenClaw's file tools need inside.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { Gateway, NO_GROUPS, giveToSession, run, textOf, writeFor } from '../harness.js';

test('files: rw is the agent\'s workspace itself', async (t) => {
  const gateway = new Gateway(t);
  const agent = gateway.workspace('agent');
  writeFor(path.join(agent, 'from-outside'), 'hello');
  const handle = await gateway.open({ access: 'rw' });
  assert.equal(await textOf(handle, 'cat from-outside && echo back >from-inside'), 'hello');
  assert.equal(fs.readFileSync(path.join(agent, 'from-inside'), 'utf8'), 'back\n');
  // At once, both ways: nothing is copied.
  fs.writeFileSync(path.join(agent, 'from-outside'), 'changed');
  assert.equal(await textOf(handle, 'cat from-outside'), 'changed');
  assert.equal((await run(handle, 'ls /agent')).code, 2);
});

for (const access of ['none', 'ro']) {
  test(`files: with ${access} nothing can be written, and the agent's workspace is ${access === 'ro' ? 'beside it' : 'not there'}`, async (t) => {
    const gateway = new Gateway(t);
    writeFor(path.join(gateway.workspace('agent'), 'notes'), 'of the agent');
    const own = gateway.workspace('own');
    writeFor(path.join(own, 'seed'), 'seed');
    const handle = await gateway.open({ access, workspaceDir: own });
    assert.equal(await textOf(handle, 'cat seed'), 'seed');
    for (const command of ['echo x >new', 'echo x >seed', 'rm seed', 'mkdir d', 'mv seed s', 'chmod 777 seed', 'ln -s /etc e', 'touch /agent/x']) {
      const { code, errors } = await run(handle, command);
      assert.notEqual(code, 0, command);
      assert.match(errors, /Read-only file system|No such file/, command);
    }
    const agent = await run(handle, 'cat /agent/notes');
    assert.deepEqual([agent.code, agent.text], access === 'ro' ? [0, 'of the agent'] : [1, '']);
    assert.deepEqual(fs.readdirSync(own), ['seed']);
    assert.equal(await textOf(handle, 'echo x >/tmp/scratch && cat /tmp/scratch'), 'x\n');
  });
}

test('files: skills and resources are read-only within the writable workspace', async (t) => {
  const gateway = new Gateway(t);
  const agent = gateway.workspace('agent');
  for (const name of ['skills', '.agents/skills', '.agents']) { fs.mkdirSync(path.join(agent, name), { recursive: true }); giveToSession(path.join(agent, name)); }
  writeFor(path.join(agent, 'skills/one/SKILL.md'), 'do good');
  writeFor(path.join(gateway.workspace('copies'), 'skills/two/SKILL.md'), 'copied');
  writeFor(path.join(gateway.workspace('media'), 'picture'), 'png');
  const handle = await gateway.open({
    access: 'rw', skillsWorkspaceDir: gateway.workspace('copies'),
    readOnlyResourceMounts: [{ hostPath: gateway.workspace('media'), containerPath: '/workspace/media/inbound' }],
  });
  const files = ['skills/one/SKILL.md', '.openclaw/sandbox-skills/skills/two/SKILL.md', 'media/inbound/picture'];
  assert.equal(await textOf(handle, `cat ${files.join(' ')}`), 'do goodcopiedpng');
  for (const command of [...files.map((file) => `echo evil >${file}`), 'touch skills/new', 'rm -r skills/one', 'touch .agents/skills/new']) {
    const { code, errors } = await run(handle, command);
    assert.notEqual(code, 0, command);
    assert.match(errors, /Read-only file system/, command);
  }
  // Neither can they be put aside and replaced.
  for (const command of ['mv skills old', 'rmdir skills', 'mv .agents old', 'umount /workspace/skills']) assert.notEqual((await run(handle, command)).code, 0, command);
  assert.equal(fs.readFileSync(path.join(agent, 'skills/one/SKILL.md'), 'utf8'), 'do good');
  await textOf(handle, 'echo fine >beside && echo fine >.agents/beside');
});

test('files: a bind is shown where it says, read-only', async (t) => {
  const gateway = new Gateway(t);
  const data = gateway.workspace('data');
  writeFor(path.join(data, 'set'), 'numbers');
  const handle = await gateway.open({ docker: { binds: [`${data}:/data:ro`], dangerouslyAllowExternalBindSources: true } });
  assert.equal(await textOf(handle, 'cat /data/set'), 'numbers');
  assert.match((await run(handle, 'echo x >/data/set')).errors, /Read-only file system/);
});

test('files: nothing else of the host is there', async (t) => {
  const gateway = new Gateway(t);
  writeFor(path.join(gateway.directory, 'beside'), 'secret');
  const handle = await gateway.open();
  for (const place of [gateway.directory, path.dirname(process.execPath) === '/usr/bin' ? '/root' : '/opt', '/root/.ssh', '/home/tester', '/etc/shadow', '/var/lib/clawjail', '/run/clawjail', '/sys', '/boot']) {
    assert.notEqual((await run(handle, `ls -d ${place}/* ${place}/.[!.]* 2>/dev/null | grep .`)).code, 0, place);
  }
});

// OpenClaw's file tools do everything with sh, python3 and the tools of GNU; these are their needs, step by step.
const PINNED_WRITE = `
import os, secrets, sys
root = os.open(sys.argv[1], os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
try: os.mkdir(sys.argv[2], 0o777, dir_fd=root)
except FileExistsError: pass
parent = os.open(sys.argv[2], os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=root)
name = '.openclaw-write-' + secrets.token_hex(6)
file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=parent)
while chunk := sys.stdin.buffer.read(65536): os.write(file, chunk)
os.fchmod(file, 0o644)
os.fsync(file)
os.replace(name, sys.argv[3], src_dir_fd=parent, dst_dir_fd=parent)
os.fsync(parent)`;

test('files: OpenClaw\'s file bridge finds what it needs', async (t) => {
  const gateway = new Gateway(t);
  const handle = await gateway.open();
  const shell = async (script, args, stdin) => (await handle.runShellCommand({ script, args, stdin })).stdout.toString();

  const content = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i * 7 & 255));
  await shell('set -eu\npython3 -c "$1" /workspace "$2" "$3"', [PINNED_WRITE, 'new dir', "it's a file"], content);
  assert.ok(fs.readFileSync(path.join(gateway.workspace('agent'), 'new dir', "it's a file")).equals(content));
  const read = await handle.runShellCommand({ script: 'set -eu\ncat -- "$1"', args: ["/workspace/new dir/it's a file"] });
  assert.ok(read.stdout.equals(content));

  assert.match(await shell('set -eu\ncd -- "$1"\nLC_ALL=C stat -c "%F|%s|%y" -- "$2"', ['/workspace/new dir', "it's a file"]), /^regular file\|300000\|\d{4}-\d\d-\d\d .*\n$/);
  assert.match(await shell('LC_ALL=C stat -c "%F|%h|%Y" -- "$1"', ['/workspace']), /^directory\|/);
  const missing = await handle.runShellCommand({ script: 'LC_ALL=C stat -c %F -- /workspace/none', allowFailure: true });
  assert.match(missing.stderr.toString(), /No such file or directory/);
  assert.equal(await shell('ln -s "new dir" /workspace/link; readlink -f -- /workspace/link; dirname -- "$1"; basename -- "$1"', ['/workspace/a b']), '/workspace/new dir\n/workspace\na b\n');
  assert.equal(await shell('mkdir -p -- "$1" && rm -rf -- "$1" && mv -- "$2" "$3" && find /workspace -mindepth 1 -maxdepth 1 -name "it*" | sort', ['/workspace/x/y', "/workspace/new dir/it's a file", "/workspace/it's moved"]), "/workspace/it's moved\n");
  for (const program of ['/usr/bin/python3', 'tar', 'env', 'find', 'grep', 'tr']) await shell('command -v "$1" >/dev/null', [program]);
});

test('files: limits of docker.* are in force', { skip: process.getuid() !== 0 && NO_GROUPS }, async (t) => {
  const handle = await new Gateway(t).open({ docker: { memory: '96m', pidsLimit: 20, cpus: 0.5 } });
  assert.equal((await run(handle, "python3 -c 'bytearray(200 << 20)'")).code, 137);
  const { text } = await run(handle, 'i=0; while [ $i -lt 60 ] && sleep 7 & do i=$((i+1)); done 2>/dev/null; jobs -p | wc -l');
  assert.ok(Number(text) < 20, text);
});
