// OpenClaw's side: what it demands of a plugin's entry.
import assert from 'node:assert/strict';

export function definePluginEntry(entry) {
  for (const key of ['id', 'name', 'description']) assert.equal(typeof entry[key], 'string', `plugin entry: ${key}`);
  assert.equal(typeof entry.register, 'function', 'plugin entry: register');
  assert.equal(typeof entry.configSchema?.safeParse, 'function', 'plugin entry: configSchema.safeParse');
  return { ...entry };
}
