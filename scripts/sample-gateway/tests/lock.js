import { test } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { acquireLock, startTimeOf } from '../lib/lock.js';
import { launch, request, scratch, start, statusOf, until } from './harness.js';

const lockOf = (directory) => path.join(directory, 'gateway.lock');
const bootId = fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();

test('lock: a second gateway on the same state ends with 78 and harms nothing', async (t) => {
  const directory = scratch(t);
  const first = await start(t, directory);
  const lock = fs.readFileSync(lockOf(directory), 'utf8');
  const config = fs.readFileSync(first.configFile, 'utf8');
  const second = launch(t, directory);
  assert.equal(await statusOf(second), 78);
  assert.match(second.output, new RegExp(`another gateway \\(pid ${first.child.pid}\\)`));
  assert.equal(fs.readFileSync(lockOf(directory), 'utf8'), lock);
  assert.equal(fs.readFileSync(first.configFile, 'utf8'), config, 'only the owner rewrites the configuration');
  assert.equal((await request(first.port, 'GET', '/healthz')).status, 200);
});

test('lock: of many that start at once, one runs', async (t) => {
  const directory = scratch(t);
  // A stale lock to fight for, which is the hard case.
  fs.writeFileSync(lockOf(directory), JSON.stringify({ pid: 1, startTime: '0', bootId }));
  const gateways = Array.from({ length: 6 }, () => launch(t, directory));
  let winner;
  await until(() => { winner = gateways.find((gateway) => gateway.output.includes('listening')); return winner; });
  const losers = await Promise.all(gateways.filter((gateway) => gateway !== winner).map(statusOf));
  assert.deepEqual(losers, [78, 78, 78, 78, 78]);
  assert.equal(JSON.parse(fs.readFileSync(lockOf(directory))).pid, winner.child.pid);
});

test('lock: that of a killed gateway is taken over', async (t) => {
  const directory = scratch(t);
  const first = await start(t, directory);
  first.child.kill('SIGKILL');
  await first.exited;
  assert.ok(fs.existsSync(lockOf(directory)));
  const second = await start(t, directory);
  assert.equal(JSON.parse(fs.readFileSync(lockOf(directory))).pid, second.child.pid);
});

test('lock: a living process with the same number is not mistaken for the owner', (t) => {
  const file = lockOf(scratch(t));
  const parent = process.ppid;
  const living = { pid: parent, startTime: startTimeOf(parent), bootId };
  const attempt = (owner) => {
    fs.writeFileSync(file, typeof owner === 'string' ? owner : JSON.stringify(owner));
    acquireLock(file).release();
    assert.equal(fs.existsSync(file), false);
  };
  assert.throws(() => attempt(living), /another gateway/, 'the check itself: this owner does live');
  attempt({ ...living, startTime: '1' });
  attempt({ ...living, bootId: 'that of an earlier boot' });
  attempt({ pid: process.pid, startTime: startTimeOf('self'), bootId });
  attempt({ pid: 4194305, startTime: '1', bootId });
  attempt('');
  attempt('not JSON');
  assert.deepEqual(fs.readdirSync(path.dirname(file)), []);
});

test('lock: a takeover that comes second gives the lock back', (t) => {
  const file = lockOf(scratch(t));
  const fresh = JSON.stringify({ pid: process.ppid, startTime: startTimeOf(process.ppid), bootId });
  fs.writeFileSync(file, 'stale');
  const rename = fs.renameSync;
  t.mock.method(fs, 'renameSync', (...args) => {
    fs.writeFileSync(file, fresh); // another one was quicker, between the judgement and the move
    rename(...args);
  });
  assert.throws(() => acquireLock(file), /another gateway/);
  assert.equal(fs.readFileSync(file, 'utf8'), fresh);
  assert.deepEqual(fs.readdirSync(path.dirname(file)), ['gateway.lock']);
});

test('lock: one that was taken over meanwhile is not removed', (t) => {
  const file = lockOf(scratch(t));
  const lock = acquireLock(file);
  fs.writeFileSync(file, 'somebody else');
  lock.release();
  assert.equal(fs.readFileSync(file, 'utf8'), 'somebody else');
});
