import { test } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { Gateway, plugin, sandboxBackend, here } from '../harness.js';
import { configSchema, resolveConfig, secretWords } from '../../lib/config.js';
import { checkRuntimeId, runtimeIdOf } from '../../lib/runtime-id.js';

const config = { command: '/bin/false' };

test('registration: the manifest, the package and the entry say the same', () => {
  const manifest = JSON.parse(fs.readFileSync(here('../openclaw.plugin.json')));
  const { openclaw, type } = JSON.parse(fs.readFileSync(here('../package.json')));
  assert.deepEqual([manifest.id, manifest.name, manifest.description], [plugin.id, plugin.name, plugin.description]);
  assert.equal(manifest.activation.onStartup, true);
  assert.equal(type, 'module');
  assert.ok(openclaw.extensions.every((file) => fs.existsSync(here(`../${file}`))));
  assert.equal(openclaw.compat.pluginApi, '>=2026.9.4');
});

test('registration: only in full mode, and until the plugin is disabled', (t) => {
  const gateway = new Gateway(t, { pluginConfig: config });
  gateway.unload('disable');
  for (const mode of ['setup-only', 'setup-runtime', 'cli-metadata', 'discovery', undefined]) {
    gateway.load(mode);
    assert.throws(() => sandboxBackend('clawjail'), /not registered/);
  }
  gateway.load('full');
  const backend = sandboxBackend('clawjail');
  assert.equal(typeof backend.factory, 'function');
  assert.equal(typeof backend.manager.describeRuntime, 'function');
  assert.equal(typeof backend.manager.removeRuntime, 'function');
  assert.equal(backend.resolveWorkdir({}), '/workspace');
  assert.deepEqual(backend.capabilities, { readOnlyResourceMounts: true });
  // A chat's end, or a run's, is not the plugin's.
  gateway.unload('disable', { sessionKey: 'agent:main:main' });
  gateway.unload('restart', { runId: 'r1' });
  gateway.unload('delete');
  assert.equal(sandboxBackend('clawjail'), backend);
  gateway.unload('restart');
  assert.throws(() => sandboxBackend('clawjail'), /not registered/);
  gateway.unload('disable');
});

test('registration: an unload takes back its own registration and no later one', (t) => {
  const first = new Gateway(t, { pluginConfig: config });
  const second = new Gateway(t, { pluginConfig: config });
  const backend = sandboxBackend('clawjail');
  first.unload('restart');
  assert.equal(sandboxBackend('clawjail'), backend);
  second.unload('disable');
});

test('registration: settings are read strictly, by OpenClaw and by the plugin', () => {
  assert.deepEqual(resolveConfig(undefined, false), { command: 'clawjail', profile: 'session', user: undefined, secrets: undefined });
  assert.deepEqual(resolveConfig({ command: '/opt/clawjail', profile: 'chat', user: 'claw' }, false), { command: '/opt/clawjail', profile: 'chat', user: 'claw', secrets: undefined });
  assert.equal(configSchema.safeParse(undefined).success, true);
  for (const [settings, message] of [
    [{ profil: 'x' }, /profil: there is no such key/], [{ profile: '' }, /profile: must be a text/], [{ profile: 7 }, /profile/],
    [{ profile: '--user' }, /does not begin with '-'/], [{ command: './clawjail' }, /absolute path/], [[], /object/], ['x', /object/], [null, /object/],
  ]) {
    assert.throws(() => resolveConfig(settings, false), message);
    if (settings !== null) assert.match(configSchema.safeParse(settings).error.issues[0].message, message);
  }
});

test('registration: a jailed gateway does not choose what its own profile decides', () => {
  assert.deepEqual(resolveConfig({}, true), { command: 'clawjail', profile: undefined, user: undefined, secrets: undefined });
  assert.throws(() => resolveConfig({ profile: 'session' }, true), /profile: is decided by the gateway's own profile/);
  assert.throws(() => resolveConfig({ user: 'claw' }, true), /user: is decided/);
});

test('runtime id: always the same, never the same for two scopes, always a session id', () => {
  const id = (scopeKey, containerPrefix) => runtimeIdOf({ scopeKey, cfg: { docker: { containerPrefix } } });
  assert.equal(id('agent:main:main'), id('agent:main:main'));
  assert.match(id('agent:main:main'), /^oc-agent-main-main-[0-9a-f]{12}$/);
  const scopes = ['agent:a:b', 'agent:a_b', 'agent:A:b', 'agent:a:b ', '…', '🦞', 'x'.repeat(500), `${'x'.repeat(500)}y`, '../../etc', '-', '--help'];
  const ids = scopes.flatMap((scope) => [id(scope), id(scope, 'other-'), id(scope, '-_'), id(scope, '')]);
  assert.equal(new Set(ids).size, ids.length);
  for (const one of ids) assert.equal(checkRuntimeId(one), one);
  for (const scope of [undefined, '', 7]) assert.throws(() => id(scope), /scope key/);
  for (const bad of ['', '-a', '_a', 'A', 'a/b', '..', 'a'.repeat(49), undefined, 'a\n']) assert.throws(() => checkRuntimeId(bad), /not the id/);
});

test('secrets: a session has those of its one agent, and none that is shared or not named', () => {
  const config = resolveConfig({ secrets: { main: ['github', 'maps', 'github'], empty: [] } }, true);
  assert.deepEqual(secretWords(config, 'agent:main'), ['--secret', 'github', '--secret', 'maps']);
  assert.deepEqual(secretWords(config, 'agent:main:telegram:dm:42'), ['--secret', 'github', '--secret', 'maps']);
  for (const scope of ['agent:empty', 'agent:other', 'agent:main2', 'agent:constructor', 'agent:__proto__', 'agent:', 'shared', 'main', undefined]) {
    assert.deepEqual(secretWords(config, scope), ['--no-secrets'], String(scope));
  }
  assert.deepEqual(secretWords(resolveConfig({}, true), 'agent:main'), [], 'nothing is said of them');
  for (const secrets of [[], 'github', null, { main: 'github' }, { main: ['--user'] }, { main: ['a b'] }, { main: [1] }]) {
    assert.throws(() => resolveConfig({ secrets }, false), /secrets/, JSON.stringify(secrets));
  }
});
