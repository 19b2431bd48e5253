import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readOptions } from '../lib/options.js';
import { Refusal } from '../lib/errors.js';

const refused = (argv, env, message) => assert.throws(
  () => readOptions(argv, { HOME: '/h', ...env }),
  (error) => error instanceof Refusal && error.status === 78 && message.test(error.message),
);

test('options: the port comes from the command line before the environment', () => {
  assert.equal(readOptions(['gateway', '--port', '1000'], { HOME: '/h', OPENCLAW_GATEWAY_PORT: '2000' }).port, 1000);
  assert.equal(readOptions(['gateway'], { HOME: '/h', OPENCLAW_GATEWAY_PORT: '2000' }).port, 2000);
  assert.equal(readOptions([], { HOME: '/h' }).port, undefined);
});

test('options: the state directory is OPENCLAW_STATE_DIR, else ~/.openclaw', () => {
  assert.equal(readOptions([], { HOME: '/h', OPENCLAW_STATE_DIR: '/data' }).stateDirectory, '/data');
  assert.equal(readOptions([], { HOME: '/h' }).stateDirectory, '/h/.openclaw');
});

test('options: the token comes from the command line before the environment', () => {
  assert.equal(readOptions(['--token', 'a'], { HOME: '/h', OPENCLAW_GATEWAY_TOKEN: 'b' }).token, 'a');
  assert.equal(readOptions([], { HOME: '/h', OPENCLAW_GATEWAY_TOKEN: 'b' }).token, 'b');
});

test('options: "gateway", "gateway run" and nothing are the same command', () => {
  for (const argv of [[], ['gateway'], ['gateway', 'run', '--allow-unconfigured']]) readOptions(argv, { HOME: '/h' });
  refused(['agent'], {}, /unknown command "agent"/);
});

test('options: what is wrong is refused with status 78 and named', () => {
  for (const port of ['abc', '65536', '', '1e3', '80.5']) refused([`--port=${port}`], {}, /--port: .*not a port number/);
  refused([], { OPENCLAW_GATEWAY_PORT: 'x' }, /OPENCLAW_GATEWAY_PORT/);
  refused([], { OPENCLAW_DRAIN_MS: '2s' }, /OPENCLAW_DRAIN_MS/);
  refused(['--bind', 'lan'], {}, /--bind lan/);
  refused(['--nonsense'], {}, /--nonsense/);
});
