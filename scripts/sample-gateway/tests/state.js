import { test } from 'node:test';
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { replaceFile } from '../lib/files.js';
import { chooseLogDirectory } from '../lib/log.js';
import { State } from '../lib/state.js';
import { JsonLinesStore, openStore } from '../lib/store.js';
import { scratch, sleep } from './harness.js';

test('state: a reader finds the old configuration or the new one, never a torn one', async (t) => {
  const directory = scratch(t);
  const state = new State(directory);
  state.rewrite((config) => { config.generation = 0; });
  const reader = new Worker(`
    const { workerData, parentPort } = require('node:worker_threads');
    const fs = require('node:fs');
    let reads = 0, stop = false;
    parentPort.on('message', () => { stop = true; });
    (function read() {
      for (let i = 0; i < 50; i += 1) { JSON.parse(fs.readFileSync(workerData, 'utf8')); reads += 1; }
      if (stop) { parentPort.postMessage(reads); parentPort.close(); } else setImmediate(read);
    })();
  `, { eval: true, workerData: state.configFile });
  const reads = new Promise((resolve, reject) => {
    reader.on('message', resolve);
    reader.on('error', reject);
  });
  for (let i = 1; i <= 200; i += 1) {
    state.rewrite((config) => { Object.assign(config, { generation: i, padding: 'x'.repeat(20_000) }); });
    if (i % 20 === 0) await sleep(1);
  }
  reader.postMessage('stop');
  assert.ok(await reads > 0);
  assert.equal(JSON.parse(fs.readFileSync(state.configFile)).generation, 200);
  assert.equal(JSON.parse(fs.readFileSync(`${state.configFile}.bak`)).generation, 199);
  assert.equal(fs.statSync(state.configFile).mode & 0o777, 0o600);
  assert.deepEqual(fs.readdirSync(directory).filter((name) => name.endsWith('.tmp')), []);
});

test('state: the content is on the disk before the name points to it', (t) => {
  const order = [];
  for (const name of ['fsyncSync', 'renameSync']) {
    const original = fs[name];
    t.mock.method(fs, name, (...args) => { order.push(name); return original(...args); });
  }
  replaceFile(path.join(scratch(t), 'file'), 'text');
  assert.deepEqual(order, ['fsyncSync', 'renameSync', 'fsyncSync']);
});

test('state: a rewrite that fails leaves the old configuration in force and nothing behind', (t) => {
  const directory = scratch(t);
  const state = new State(directory);
  state.rewrite((config) => { config.generation = 1; });
  const before = fs.readdirSync(directory);
  t.mock.method(fs, 'renameSync', () => { throw Object.assign(new Error('no space'), { code: 'ENOSPC' }); });
  assert.throws(() => state.rewrite((config) => { config.generation = 2; }), /cannot be rewritten.*no space/);
  assert.equal(state.config.generation, 1);
  assert.equal(JSON.parse(fs.readFileSync(state.configFile)).generation, 1);
  assert.deepEqual(fs.readdirSync(directory), before);
});

test('state: a configuration that is a link is refused', (t) => {
  const directory = scratch(t);
  fs.writeFileSync(path.join(directory, 'elsewhere'), '{}');
  fs.symlinkSync('elsewhere', path.join(directory, 'openclaw.json'));
  assert.throws(() => new State(directory).load(), /not a regular file/);
});

test('state: a watch that breaks later is reported and no more', (t) => {
  const watcher = Object.assign(new EventEmitter(), { close() {} });
  t.mock.method(fs, 'watch', () => watcher);
  const reports = [];
  const unwatch = new State(scratch(t)).watch(() => {}, (error) => reports.push(error.message));
  watcher.emit('error', new Error('ENOSPC'));
  unwatch();
  assert.deepEqual(reports, ['ENOSPC']);
});

test('store: this Node\'s store keeps its records over a reopening', async (t) => {
  const directory = scratch(t);
  const first = await openStore(directory);
  for (let i = 0; i < 1100; i += 1) first.append(i % 2 ? 'odd' : 'even', { i });
  assert.deepEqual(first.recent('odd', 2), [{ i: 1097 }, { i: 1099 }]);
  first.close();
  const second = await openStore(directory);
  assert.equal(second.count('odd') + second.count('even'), 1000, 'old records are dropped at the latest at the next start');
  assert.deepEqual(second.recent('even', 1), [{ i: 1098 }]);
  second.close();
  t.diagnostic(`store: ${second.format}`);
});

test('store: a line torn by a crash costs that line only', (t) => {
  const file = path.join(scratch(t), 'records.jsonl');
  const first = new JsonLinesStore(file);
  first.append('call', { n: 1 });
  first.close();
  fs.appendFileSync(file, '{"kind":"call","bo');
  const second = new JsonLinesStore(file);
  second.append('call', { n: 2 });
  second.close();
  const third = new JsonLinesStore(file);
  assert.deepEqual(third.recent('call', 5), [{ n: 1 }, { n: 2 }]);
  third.close();
});

test('log: the directory is made 0700; one that others could have prepared is passed over', (t) => {
  const directory = scratch(t);
  const [first, second] = ['first', 'second'].map((name) => path.join(directory, name));
  assert.equal(chooseLogDirectory([first, second]), first);
  assert.equal(fs.statSync(first).mode & 0o777, 0o700);

  fs.chmodSync(first, 0o755);
  assert.equal(chooseLogDirectory([first, second]), first);
  assert.equal(fs.statSync(first).mode & 0o777, 0o700, 'our own, readable by others: closed');

  fs.chmodSync(first, 0o777);
  assert.equal(chooseLogDirectory([first, second]), second);

  fs.rmdirSync(first);
  fs.symlinkSync(second, first);
  assert.equal(chooseLogDirectory([first, second]), second);
  assert.throws(() => chooseLogDirectory([first]), /no safe log directory: .*not a directory/);
});

test('log: a directory of another user is passed over', { skip: process.getuid() !== 0 && 'only root can make one' }, (t) => {
  const directory = scratch(t);
  const [foreign, own] = ['foreign', 'own'].map((name) => path.join(directory, name));
  fs.mkdirSync(foreign, { mode: 0o700 });
  fs.chownSync(foreign, 54321, 54321);
  assert.equal(chooseLogDirectory([foreign, own]), own);
});
