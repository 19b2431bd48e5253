// Two logs: a short line for people on stdout (stderr for warnings), and JSON lines in a file of the day.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Refusal } from './errors.js';
import { makeDirectory } from './files.js';

export class Log {
  #directory;
  #fixedFile;
  #openPath;
  #fd;
  #fileFailed = false;

  /** Starts the file. Until then only the human lines exist, so that a refused configuration can still be reported. */
  openFile(file) {
    this.#fixedFile = file;
    if (!file) this.#directory = chooseLogDirectory();
    try {
      if (file) makeDirectory(path.dirname(file));
      this.#reopen();
    } catch (error) {
      throw new Refusal(`the log file cannot be opened: ${error.message}`);
    }
    return this.#openPath;
  }

  debug(message, fields) { this.#record('debug', message, fields); }
  info(message, fields) { this.#record('info', message, fields, process.stdout); }
  warn(message, fields) { this.#record('warn', message, fields, process.stderr); }
  error(message, fields) { this.#record('error', message, fields, process.stderr); }

  #record(level, message, fields, stream) {
    stream?.write(`[gateway] ${message}\n`);
    if (this.#openPath === undefined) return;
    try {
      if (this.#path() !== this.#openPath) this.#reopen();
      const line = { time: new Date().toISOString(), level, subsystem: 'gateway', pid: process.pid, message, ...fields };
      // Synchronous, so that the last lines before a kill are there.
      fs.appendFileSync(this.#fd, JSON.stringify(line) + '\n');
      this.#fileFailed = false;
    } catch (error) {
      // A full or lost disk must not stop the gateway; it is said once and not for every line.
      if (!this.#fileFailed) process.stderr.write(`[gateway] cannot write the log file: ${error.message}\n`);
      this.#fileFailed = true;
    }
  }

  #path() {
    return this.#fixedFile ?? path.join(this.#directory, `openclaw-${new Date().toISOString().slice(0, 10)}.log`);
  }

  #reopen() {
    const file = this.#path();
    const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW } = fs.constants;
    const fd = fs.openSync(file, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
    if (this.#fd !== undefined) fs.closeSync(this.#fd);
    this.#fd = fd;
    this.#openPath = file;
  }
}

/**
 * /tmp/openclaw, or openclaw-<uid> under $TMPDIR where the first is not trustworthy. In a shared /tmp another user may
 * have made that name first, and would then read our logs or point them at a file of ours.
 */
export function chooseLogDirectory(candidates = ['/tmp/openclaw', path.join(os.tmpdir(), `openclaw-${process.getuid()}`)]) {
  const objections = [];
  for (const directory of candidates) {
    const objection = makePrivate(directory);
    if (objection === undefined) return directory;
    objections.push(objection);
  }
  throw new Refusal(`no safe log directory: ${objections.join('; ')}`);
}

/** Makes the directory ours and 0700, or says why that is not possible. */
function makePrivate(directory) {
  try {
    try {
      fs.mkdirSync(directory, { mode: 0o700 });
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const found = fs.lstatSync(directory);
    if (!found.isDirectory()) return `${directory} is not a directory`;
    if (found.uid !== process.getuid()) return `${directory} belongs to uid ${found.uid}`;
    if (found.mode & 0o022) return `${directory} is writable by others`;
    if ((found.mode & 0o777) !== 0o700) fs.chmodSync(directory, 0o700);
    fs.accessSync(directory, fs.constants.W_OK | fs.constants.X_OK);
    return undefined;
  } catch (error) {
    return error.message;
  }
}
