import { test } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { readDockerSettings } from '../../lib/docker-settings.js';
import { scratch } from '../harness.js';

const read = (docker, { workspaceDir = '/', browser } = {}) => readDockerSettings({ cfg: { docker, browser }, workspaceDir });
const words = (docker) => read(docker).words.join(' ');

test('settings: what OpenClaw fills in by itself asks for nothing', (t) => {
  const workspaceDir = scratch(t);
  const { uid, gid } = fs.statSync(workspaceDir);
  const docker = {
    image: 'openclaw-sandbox:bookworm-slim', containerPrefix: 'openclaw-sbx-', workdir: '/workspace', readOnlyRoot: true,
    tmpfs: ['/tmp', '/var/tmp', '/run'], network: 'none', capDrop: ['ALL'], env: { LANG: 'C.UTF-8' }, user: `${uid}:${gid}`,
    setupCommand: undefined, binds: undefined, dns: [], ulimits: {}, pidsLimit: undefined, dangerouslyAllowContainerNamespaceJoin: false,
  };
  assert.deepEqual(read(docker, { workspaceDir, browser: { enabled: false } }), { words: [], variables: { LANG: 'C.UTF-8' } });
});

test('settings: limits become the words of clawjail, in its units', () => {
  assert.equal(words({ memory: '512m' }), '--memory 512M');
  assert.equal(words({ memory: '2g', memorySwap: 2 * 1024 ** 3 }), '--memory 2G');
  assert.equal(words({ memory: 1_000_000 }), '--memory 1000000');
  assert.equal(words({ memory: '1.5GiB' }), '--memory 1536M');
  assert.equal(words({ memory: '65536' }), '--memory 64K');
  assert.equal(words({ cpus: 0.5 }), '--cpus 0.5');
  assert.equal(words({ cpus: 1.23456 }), '--cpus 1.234');
  assert.equal(words({ pidsLimit: 100 }), '--processes 100');
  assert.equal(words({ pidsLimit: 0 }), '', 'which in Docker is its default');
  for (const [docker, message] of [
    [{ memory: 'much' }, /memory: must be a size/], [{ memory: '-1' }, /memory/], [{ memory: '1e3' }, /memory/], [{ memory: '9'.repeat(30) }, /memory/],
    [{ memory: '1g', memorySwap: '2g' }, /memorySwap: a session has no swap/], [{ memorySwap: '2g' }, /memorySwap/], [{ memory: '1g', memorySwap: -1 }, /memorySwap/],
    [{ cpus: 0.01 }, /cpus: must be from 0.1/], [{ cpus: 'two' }, /cpus/], [{ cpus: 5000 }, /cpus/],
    [{ pidsLimit: -1 }, /pidsLimit: must be a number of processes/], [{ pidsLimit: 1.5 }, /pidsLimit/],
  ]) assert.throws(() => read(docker), message, JSON.stringify(docker));
});

test('settings: what cannot be had is refused by name, all of it at once, with what to do', () => {
  const cases = {
    image: ['debian:bookworm', /there are no images \('debian:bookworm'\).*process\.programs/],
    network: ['bridge', /network\.allow|network: \{ allow/], user: ['1000:1000', /plugins\.entries\.clawjail\.config\.user/],
    workdir: ['/srv', /is always \/workspace/], tmpfs: [['/tmp', '/scratch:size=1g'], /'\/scratch:size=1g'.*filesystem\.tmp/],
    setupCommand: ['apt-get install x', /no image to set up/], ulimits: [{ nofile: 10 }, /limits\.openFiles/],
    seccompProfile: ['/etc/seccomp.json', /its own filter/], apparmorProfile: ['docker-default', /Landlock/], capAdd: [['NET_ADMIN'], /no capability/],
    privileged: [true, /no privilege/], dns: [['1.1.1.1'], /network\.upstream\.resolvers/], extraHosts: [['a:10.0.0.1'], /network\.allow/],
    gpus: ['all', /no device/], devices: [['/dev/kvm'], /no device/], dangerouslyAllowContainerNamespaceJoin: [true, /no namespace/],
    workspaceMountPropagation: ['rshared', /never shown/], ulimit: ['x', /does not know it/], toString: ['x', /does not know it/],
  };
  for (const [key, [value, message]] of Object.entries(cases)) {
    assert.throws(() => read({ [key]: value }), (error) => error.message.includes(`sandbox.docker.${key}: `) && message.test(error.message), key);
  }
  for (const network of ['host', 'container:x', 'openclaw-net']) assert.throws(() => read({ network }), /is no network of clawjail/);
  assert.throws(() => read({}, { browser: { enabled: true } }), /sandbox\.browser\.enabled/);
  const all = Object.fromEntries(Object.entries(cases).map(([key, [value]]) => [key, value]));
  assert.throws(() => read(all), (error) => Object.keys(cases).every((key) => error.message.includes(`sandbox.docker.${key}: `)));
});

test('settings: variables that cannot be passed are refused by name, and their values are not told', () => {
  for (const env of [{ 'A-B': 'secret' }, { A: 'secret\0x' }, { '': 'secret' }]) {
    assert.throws(() => read({ env }), (error) => /sandbox\.docker\.env: /.test(error.message) && !error.message.includes('secret'));
  }
});
