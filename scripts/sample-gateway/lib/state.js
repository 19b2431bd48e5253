// The state directory: openclaw.json, the token in it, and the watch on it.
import fs from 'node:fs';
import path from 'node:path';
import { randomBytes } from 'node:crypto';
import { Refusal } from './errors.js';
import { makeDirectory, readTextIfPresent, replaceFile } from './files.js';
import { portFrom } from './options.js';

export class State {
  #readOnly;
  #text;
  config = {};

  constructor(directory, { readOnly = false } = {}) {
    this.directory = directory;
    this.configFile = path.join(directory, 'openclaw.json');
    this.#readOnly = readOnly;
    this.#explained(`the state directory ${directory} cannot be made`, () => {
      makeDirectory(path.join(directory, 'state'));
    });
  }

  /** Reads openclaw.json. Whatever is wrong with it throws, and the configuration in force stays as it was. */
  load() {
    const text = this.#explained(`${this.configFile} cannot be read`, () => {
      const found = fs.lstatSync(this.configFile, { throwIfNoEntry: false });
      // Rewriting goes by rename, which would replace a link and leave its target behind.
      if (found && !found.isFile()) throw new Error('it is not a regular file');
      return readTextIfPresent(this.configFile);
    });
    this.config = text === undefined ? {} : parseConfig(text, this.configFile);
    this.#text = text;
    return this.config;
  }

  /** Changes the configuration, in memory and on disk; the content before goes to openclaw.json.bak. */
  rewrite(change) {
    const next = structuredClone(this.config);
    change(next);
    const text = JSON.stringify(next, null, 2) + '\n';
    this.#explained(`${this.configFile} cannot be rewritten (OPENCLAW_CONFIG_READONLY=1 makes the gateway leave it alone)`, () => {
      if (this.#text !== undefined) replaceFile(`${this.configFile}.bak`, this.#text);
      replaceFile(this.configFile, text);
    });
    this.config = next;
    this.#text = text;
  }

  /** Notes who touched the configuration last, as each start does, and makes a token where none was given. */
  touch({ needsToken }) {
    if (this.#readOnly) {
      if (needsToken && !this.token) throw new Refusal('no token: openclaw.json is read-only and has none; set OPENCLAW_GATEWAY_TOKEN');
      return;
    }
    this.rewrite((config) => {
      config.gateway ??= { mode: 'local' };
      config.meta = { ...config.meta, lastTouchedAt: new Date().toISOString() };
      if (needsToken && !this.token) {
        config.gateway.auth = { ...config.gateway.auth, token: randomBytes(24).toString('hex') };
      }
    });
  }

  get token() { return this.config.gateway?.auth?.token; }
  get port() { return this.config.gateway?.port; }
  get logFile() { return this.config.logging?.file; }

  /**
   * Calls back after somebody else changed openclaw.json. The directory is watched, because editors replace the file
   * and a watch on the file would stay with the old one. Without inotify the gateway works on and only says so.
   */
  watch(onChange, onFailure) {
    let settle;
    try {
      const watcher = fs.watch(this.directory, (_event, name) => {
        if (name !== null && name !== path.basename(this.configFile)) return;
        clearTimeout(settle);
        settle = setTimeout(() => this.#reload(onChange, onFailure), 100);
      });
      watcher.on('error', onFailure);
      return () => {
        clearTimeout(settle);
        watcher.close();
      };
    } catch (error) {
      onFailure(error);
      return () => {};
    }
  }

  #reload(onChange, onFailure) {
    try {
      const before = this.#text;
      if (readTextIfPresent(this.configFile) === before) return;
      this.load();
      onChange();
    } catch (error) {
      onFailure(error);
    }
  }

  #explained(what, action) {
    try {
      return action();
    } catch (error) {
      throw new Refusal(`${what}: ${error.message}`);
    }
  }
}

/** Plain JSON. Only what this program reads is checked; the rest belongs to others and is carried along. */
function parseConfig(text, file) {
  let config;
  try {
    config = JSON.parse(text);
  } catch (error) {
    throw new Refusal(`${file}: ${error.message}`);
  }
  const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
  const expect = (holds, message) => { if (!holds) throw new Refusal(`${file}: ${message}`); };
  expect(isObject(config), 'the outermost value must be an object');
  for (const key of ['gateway', 'logging', 'meta']) {
    expect(config[key] === undefined || isObject(config[key]), `"${key}" must be an object`);
  }
  const { gateway = {}, logging = {} } = config;
  expect(gateway.auth === undefined || isObject(gateway.auth), '"gateway.auth" must be an object');
  const token = gateway.auth?.token;
  expect(token === undefined || (typeof token === 'string' && token !== ''), '"gateway.auth.token" must be a text');
  portFrom(gateway.port, `${file}: "gateway.port"`);
  const logFile = logging.file;
  expect(logFile === undefined || (typeof logFile === 'string' && path.isAbsolute(logFile)), '"logging.file" must be an absolute path');
  return config;
}
