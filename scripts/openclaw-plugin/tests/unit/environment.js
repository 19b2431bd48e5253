import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { EnvironmentFiles, encodeEnvironment } from '../../lib/environment.js';
import { Custody } from '../../lib/custody.js';
import { scratch } from '../harness.js';

test('environment: every value arrives as it is, in the form that NUL bytes end', () => {
  assert.equal(encodeEnvironment({ A: '1', B: 'x=y', C: '', D: 'two\nlines\n', E: 'ü' }).toString(), 'A=1\0B=x=y\0C=\0D=two\nlines\n\0E=ü\0');
  assert.equal(encodeEnvironment({}).length, 0);
});

test('environment: what no process can be given is refused, and no value is told', () => {
  for (const variables of [{ '': 'secret' }, { 'A B': 'secret' }, { '1A': 'secret' }, { 'A=B': 'secret' }, { 'A\n': 'secret' }, { A: 'sec\0ret' }, { A: undefined }, { A: 7 }]) {
    assert.throws(() => encodeEnvironment(variables), (error) => /environment variable/.test(error.message) && !/sec/.test(error.message));
  }
});

test('environment files: only their user can read them, and they go when they are done with', (t) => {
  const parent = scratch(t);
  const files = new EnvironmentFiles(parent);
  const [one, two] = [files.write({ A: 'x' }), files.write({})];
  assert.equal(fs.readFileSync(one, 'utf8'), 'A=x\0');
  assert.equal(fs.statSync(one).mode & 0o777, 0o600);
  assert.equal(fs.statSync(path.dirname(one)).mode & 0o777, 0o700);
  files.remove(one);
  files.remove(one);
  assert.deepEqual(fs.readdirSync(path.dirname(two)), [path.basename(two)]);
  for (const other of [path.join(parent, 'other'), '/etc/passwd', undefined, `${path.dirname(two)}/../x`, `${path.dirname(two)}/../../../etc/x`, `${path.dirname(two)}/a/b`]) assert.throws(() => files.remove(other), /not an environment file/);
  files.removeAll();
  assert.deepEqual(fs.readdirSync(parent), []);
  const late = files.write({});
  fs.rmSync(path.dirname(late), { recursive: true });
  const later = files.write({ A: 'y' });
  files.remove(late);
  assert.equal(fs.readFileSync(later, 'utf8'), 'A=y\0', 'a directory that was cleaned away is made again');
  files.removeAll();
  assert.throws(() => files.write({ A: '\0' }), /NUL/);
  assert.deepEqual(fs.readdirSync(parent), [], 'nothing is made for what is refused');
});

test('environment files: what a killed gateway left is removed by the next one, and nothing else', (t) => {
  const parent = scratch(t);
  const dead = spawnSync('true').pid;
  const keep = [`openclaw-clawjail-${process.pid}-abc`, `openclaw-clawjail-${process.ppid}-abc`, 'openclaw-clawjail-x-abc', `other-${dead}-abc`];
  for (const name of [...keep, `openclaw-clawjail-${dead}-abc`]) {
    fs.mkdirSync(path.join(parent, name));
    fs.writeFileSync(path.join(parent, name, 'file'), 'A=secret\0');
  }
  fs.symlinkSync(parent, path.join(parent, `openclaw-clawjail-${dead}-link`));
  new EnvironmentFiles(parent).removeLeftovers();
  assert.deepEqual(fs.readdirSync(parent).sort(), [...keep, `openclaw-clawjail-${dead}-link`].sort());
});

test('custody: a command is named by the plugin alone, and ended by that name', async () => {
  const calls = [];
  const custody = new Custody({ kill: async (...call) => { calls.push(call); return call[1] === 'INT'; } });
  const cleanup = custody.prepare({ A: '1' });
  // OpenClaw may copy the environment, and add to it.
  const { execId, variables } = custody.take({ ...cleanup.env, B: '2' });
  assert.match(execId, /^[0-9a-f-]{36}$/);
  assert.deepEqual(variables, { A: '1', B: '2' });
  assert.equal(await cleanup.interrupt(2500), true);
  await cleanup.terminate();
  assert.deepEqual(calls, [[execId, 'INT', 2500], [execId, 'TERM', 10_000]]);

  const stranger = { CLAWJAIL_EXEC_ID: execId, A: '1' };
  assert.deepEqual([custody.take(stranger).execId, custody.take(stranger).variables], [undefined, stranger], 'a name counts once');
});

test('custody: what is ended before it begins never begins', async () => {
  const custody = new Custody({ kill: async () => false });
  const [first, second] = [custody.prepare({}), custody.prepare({})];
  await first.terminate();
  assert.throws(() => custody.take(first.env), /ended before it began/);
  const { assertNotEnded } = custody.take(second.env);
  assertNotEnded();
  await second.terminate();
  assert.throws(assertNotEnded, /ended before it began/);
});
