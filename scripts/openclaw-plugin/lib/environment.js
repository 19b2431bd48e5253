// The environment of a command, as `clawjail session exec` reads it: never in the arguments, which every process sees.
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * `NAME=value`, each ended by a NUL byte, so that every value that a process can have arrives as it is, with its newlines.
 *
 * What cannot be passed is refused by name; a value is never part of a message.
 */
export function encodeEnvironment(variables) {
  const parts = [];
  for (const [name, value] of Object.entries(variables)) {
    if (!NAME.test(name)) throw new Error(`the name of an environment variable must be letters, digits and '_', not ${JSON.stringify(name)}`);
    if (typeof value !== 'string') throw new Error(`the environment variable ${name} is not a text`);
    if (value.includes('\0')) throw new Error(`the environment variable ${name} holds a NUL byte, which no process can be given`);
    parts.push(`${name}=${value}\0`);
  }
  return Buffer.from(parts.join(''));
}

const PREFIX = 'openclaw-clawjail-';

/**
 * The files that carry an environment from here to a `clawjail session exec` that OpenClaw starts: each is there from
 * buildExecSpec to finalizeExec, in a directory that only this user can enter.
 */
export class EnvironmentFiles {
  #parent;
  #directory;

  constructor(parent = os.tmpdir()) {
    this.#parent = parent;
  }

  write(variables) {
    const content = encodeEnvironment(variables);
    // What cleans /tmp up may have found nothing in it for long.
    if (!this.#directory || !fs.existsSync(this.#directory)) {
      // Made with mode 0700. The process id in its name tells a later gateway whether anybody still needs it.
      this.#directory = fs.mkdtempSync(path.join(this.#parent, `${PREFIX}${process.pid}-`));
    }
    const file = path.join(this.#directory, randomUUID());
    fs.writeFileSync(file, content, { mode: 0o600, flag: 'wx' });
    return file;
  }

  remove(file) {
    const directory = path.dirname(path.resolve(String(file)));
    const isOwn = path.dirname(directory) === path.resolve(this.#parent) && path.basename(directory).startsWith(`${PREFIX}${process.pid}-`);
    if (!isOwn) throw new Error('not an environment file of this plugin');
    fs.rmSync(path.resolve(file), { force: true });
  }

  removeAll() {
    if (this.#directory) fs.rmSync(this.#directory, { recursive: true, force: true });
    this.#directory = undefined;
  }

  /** Removes what a killed gateway of this user left behind. */
  removeLeftovers() {
    for (const name of fs.readdirSync(this.#parent)) {
      const owner = name.match(/^openclaw-clawjail-(\d+)-/)?.[1];
      if (!owner || isAlive(Number(owner))) continue;
      const directory = path.join(this.#parent, name);
      const status = fs.lstatSync(directory, { throwIfNoEntry: false });
      if (status?.isDirectory() && status.uid === process.getuid()) fs.rmSync(directory, { recursive: true, force: true });
    }
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code !== 'ESRCH';
  }
}
