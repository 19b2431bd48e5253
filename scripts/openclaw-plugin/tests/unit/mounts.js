import { test } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { mountsOf } from '../../lib/mounts.js';
import { scratch } from '../harness.js';

function place(t) {
  const root = fs.realpathSync(scratch(t));
  const make = (name) => { fs.mkdirSync(path.join(root, name), { recursive: true }); return path.join(root, name); };
  const workspace = make('workspace');
  const agent = make('agent');
  const mounts = (access, rest = {}, docker = {}) => mountsOf({
    workspaceDir: access === 'rw' ? agent : workspace, agentWorkspaceDir: agent, cfg: { workspaceAccess: access, docker }, ...rest,
  });
  return { root, make, workspace, agent, mounts, bind: (text, docker) => mounts('none', {}, { binds: [text], ...docker }).words.slice(2).join(' ') };
}

test('mounts: none, ro and rw are what OpenClaw means by them', (t) => {
  const { workspace, agent, mounts } = place(t);
  assert.deepEqual(mounts('none'), { words: ['--workspace', `${workspace}:/workspace:ro`], roots: ['/workspace'] });
  assert.deepEqual(mounts('ro'), { words: ['--workspace', `${workspace}:/workspace:ro`, '--agent', `${agent}:/agent:ro`], roots: ['/workspace', '/agent'] });
  assert.deepEqual(mounts('rw'), { words: ['--workspace', `${agent}:/workspace`], roots: ['/workspace'] });
  assert.deepEqual(mounts('rw', { workspaceDir: workspace }).words, ['--workspace', `${workspace}:/workspace`, '--agent', `${agent}:/agent`]);
  for (const access of ['RW', undefined, 'all']) assert.throws(() => mounts(access), /workspaceAccess must be none, ro or rw/);
});

test('mounts: a workspace is an absolute path to a directory that can be said', (t) => {
  const { root, make, mounts } = place(t);
  fs.writeFileSync(path.join(root, 'file'), '');
  for (const workspaceDir of ['relative', undefined]) assert.throws(() => mounts('none', { workspaceDir }), /absolute path/);
  assert.throws(() => mounts('none', { workspaceDir: path.join(root, 'file') }), /not a directory/);
  assert.throws(() => mounts('none', { workspaceDir: path.join(root, 'missing') }), /ENOENT/);
  for (const name of ['a:b', 'a\nb']) assert.throws(() => mounts('none', { workspaceDir: make(name) }), /':' or a control character/);
  fs.symlinkSync('agent', path.join(root, 'link'));
  assert.equal(mounts('none', { workspaceDir: path.join(root, 'link') }).words[1], `${root}/agent:/workspace:ro`, 'the place itself, not the link to it');
});

test('mounts: skills are covered read-only in a writable workspace', (t) => {
  const { root, make, agent, mounts } = place(t);
  for (const name of ['agent/skills', 'agent/.agents/skills', 'agent/.openclaw/sandbox-skills/skills', 'copies/skills']) make(name);
  const covers = (rest) => mounts('rw', rest).words.slice(2).join(' ');
  const own = `--ro ${agent}/skills:/workspace/skills --ro ${agent}/.agents/skills:/workspace/.agents/skills`;
  assert.equal(covers(), `${own} --ro ${agent}/.openclaw/sandbox-skills/skills:/workspace/.openclaw/sandbox-skills/skills`);
  assert.equal(covers({ skillsWorkspaceDir: `${root}/copies` }), `${own} --ro ${root}/copies/skills:/workspace/.openclaw/sandbox-skills/skills`);
  assert.deepEqual(mounts('ro').words.filter((word) => word === '--ro'), []);
});

test('mounts: a skills directory that is a link, or lies behind one, is not followed', (t) => {
  const { root, make, agent, mounts } = place(t);
  make('outside/skills');
  fs.symlinkSync(`${root}/outside/skills`, path.join(agent, 'skills'));
  fs.symlinkSync(`${root}/outside`, path.join(agent, '.agents'));
  assert.deepEqual(mounts('rw').words, ['--workspace', `${agent}:/workspace`]);
  fs.rmSync(path.join(agent, 'skills'));
  make('agent/elsewhere');
  fs.symlinkSync('elsewhere', path.join(agent, 'skills'));
  assert.deepEqual(mounts('rw').words, ['--workspace', `${agent}:/workspace`]);
});

test('mounts: read-only resources are shown where OpenClaw says', (t) => {
  const { root, make, mounts } = place(t);
  const hostPath = make('media');
  assert.equal(mounts('none', { readOnlyResourceMounts: [{ hostPath, containerPath: '/media//inbound/' }] }).words.slice(2).join(' '), `--ro ${root}/media:/media/inbound`);
  for (const containerPath of ['media', '/', '', undefined, '/a:b']) {
    assert.throws(() => mounts('none', { readOnlyResourceMounts: [{ hostPath, containerPath }] }), /absolute path inside|':'/);
  }
  const two = [{ hostPath, containerPath: '/media' }, { hostPath: make('other'), containerPath: '/media' }];
  assert.throws(() => mounts('none', { readOnlyResourceMounts: two }), /two mounts at \/media/);
  assert.equal(mounts('none', { readOnlyResourceMounts: [two[0], two[0]] }).words.length, 4);
});

test('binds: read-only ones within the workspaces are shown', (t) => {
  const { workspace, agent, bind, make } = place(t);
  make('agent/data');
  assert.equal(bind(`${agent}/data:/data:ro`), `--ro ${agent}/data:/data`);
  assert.equal(bind(` ${workspace}:/w/../data/:ro,Z `), `--ro ${workspace}:/data`);
});

test('binds: writable ones are refused, with what to do instead', (t) => {
  const { agent, bind } = place(t);
  for (const mode of ['', ':rw', ':z', ':rw,z']) assert.throws(() => bind(`${agent}:/data${mode}`), /is writable: write ':ro' after it/);
  for (const mode of [':ro,rslave', ':delegated', ':ro,ro']) assert.throws(() => bind(`${agent}:/data${mode}`), /not a mode|is writable/);
});

test('binds: what OpenClaw refuses of its container backends is refused', (t) => {
  const { root, agent, bind, make } = place(t);
  const outside = make('outside');
  for (const text of ['', 'data', 'name:/data:ro', 'a:b:c:d', `${agent}::ro`, 7]) assert.throws(() => bind(text), /must be HOST:INSIDE:ro|must be absolute/);
  assert.throws(() => bind(`${agent}:/workspace/x:ro`), /dangerouslyAllowReservedContainerTargets/);
  assert.throws(() => bind(`${agent}:/data/../agent:ro`), /\/agent is OpenClaw's own/);
  assert.equal(bind(`${agent}:/workspace/x:ro`, { dangerouslyAllowReservedContainerTargets: true }), `--ro ${agent}:/workspace/x`);
  assert.throws(() => bind(`${outside}:/data:ro`), /dangerouslyAllowExternalBindSources/);
  assert.throws(() => bind(`${agent}/../outside:/data:ro`), /outside of/);
  assert.equal(bind(`${outside}:/data:ro`, { dangerouslyAllowExternalBindSources: true }), `--ro ${outside}:/data`);
  assert.throws(() => bind(`${root}/missing:/data:ro`, { dangerouslyAllowExternalBindSources: true }), /ENOENT/);
  assert.throws(() => bind(`${agent}:/:ro`), /absolute path inside/);
});

test('binds: system directories and credentials are refused, however they are spelled', (t) => {
  const { agent, root, bind, make } = place(t);
  const anything = { dangerouslyAllowExternalBindSources: true, dangerouslyAllowReservedContainerTargets: true };
  for (const source of ['/', '/etc', '/etc/ssl', '/proc/self', '/sys', '/dev/shm', '/run', '/var/run', '/boot', '//etc', '/usr/../etc', '/usr/..']) {
    if (fs.existsSync(source)) assert.throws(() => bind(`${source}:/data:ro`, anything), /is never shown/, source);
  }
  // A link that a command could have made in its own workspace.
  fs.symlinkSync('/etc', path.join(agent, 'data'));
  assert.throws(() => bind(`${agent}/data:/data:ro`, anything), /\/etc is never shown/);
  fs.symlinkSync(root, path.join(agent, 'up'));
  make('outside');
  assert.throws(() => bind(`${agent}/up/outside:/data:ro`), /outside of/);
  const home = make('home/.ssh');
  const before = process.env.HOME;
  t.after(() => { process.env.HOME = before; });
  process.env.HOME = path.dirname(home);
  assert.equal(os.homedir(), path.dirname(home));
  assert.throws(() => bind(`${home}:/data:ro`, anything), /\.ssh is never shown/);
});
