// The one place that runs `clawjail`: found once, started without a shell, with little environment, bounded in time and output.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** Statuses of clawjail's own. */
export const STATUS = { usage: 64, setup: 78, unknown: 120, state: 121, conflict: 122, refused: 123, failed: 125 };

/** What clawjail's own message cannot say, because it does not know who asked. */
const REMEDY = new Map([
  [STATUS.usage, 'the plugin and clawjail do not fit together: update both'],
  [STATUS.unknown, 'the next command starts it again'],
  [STATUS.state, 'the next command starts it again'],
]);

const MEBIBYTE = 1 << 20;
const MOST_OUTPUT = 256 * MEBIBYTE;
const MOST_ANSWER = 4 * MEBIBYTE;

/** `clawjail` itself ended with a status of its own, or could not be started. */
export class ClawjailError extends Error {
  constructor(words, status, stderr, cause) {
    const said = stderr.trim().replace(/^clawjail: /, '');
    const remedy = REMEDY.get(status);
    const number = status === undefined ? '' : ` (status ${status})`;
    super(`clawjail ${words} failed${number}: ${said || 'it said nothing'}${remedy ? `; ${remedy}` : ''}`, { cause });
    this.name = 'ClawjailError';
    this.status = status;
    this.stderr = stderr;
  }
}

/** What clawjail itself may know of the gateway's environment. Nothing of it but LANG and TZ can reach a session. */
function launcherEnvironment() {
  const passed = ['PATH', 'HOME', 'USER', 'LOGNAME', 'LANG', 'TZ', 'TERM', 'XDG_RUNTIME_DIR', 'XDG_CONFIG_HOME', 'XDG_STATE_HOME'];
  return Object.fromEntries(passed.filter((name) => process.env[name] !== undefined).map((name) => [name, process.env[name]]));
}

export class Program {
  #command;
  #file;

  constructor(command) {
    this.#command = command;
  }

  /** The absolute path of the program. Looked up once: what is in PATH later does not matter any more. */
  get file() {
    this.#file ??= locate(this.#command);
    return this.#file;
  }

  /** What it is started with, also by OpenClaw. */
  get environment() {
    return launcherEnvironment();
  }

  /**
   * Runs `clawjail session …` for an answer of its own, and throws unless its status is among `expected`.
   *
   * @param options.timeout in milliseconds
   */
  async ask(words, { expected = [0], timeout = 30_000 } = {}) {
    const result = await this.collect(['session', ...words], { timeout, most: MOST_ANSWER });
    if (expected.includes(result.code)) return { status: result.code, text: result.stdout.toString() };
    throw new ClawjailError(`session ${words[0]}`, result.code, result.stderr.toString());
  }

  /**
   * Runs the program to its end.
   *
   * @param options.input what it reads from its input, which then ends
   * @param options.descriptor what it reads from descriptor 3
   * @param options.signal ends it, and with it what runs in the session for it
   * @param options.timeout in milliseconds; none if absent
   * @param options.most how many bytes it may write
   * @returns {Promise<{code: number, stdout: Buffer, stderr: Buffer}>} `code` is 128 and the signal's number for a signal
   */
  async collect(words, { input, descriptor, signal, timeout, most = MOST_OUTPUT } = {}) {
    signal?.throwIfAborted();
    const child = spawn(this.file, words, {
      env: this.environment,
      stdio: ['pipe', 'pipe', 'pipe', ...(descriptor ? ['pipe'] : [])],
    });
    return new Promise((resolve, reject) => {
      let reason;
      // Killed, clawjail takes everything that this command started along.
      const end = (error) => { reason ??= error; child.kill('SIGKILL'); };
      const abort = () => end(signal.reason);
      signal?.addEventListener('abort', abort, { once: true });
      const failed = (reason, cause) => new ClawjailError(words.slice(0, 2).join(' '), undefined, reason, cause);
      const timer = timeout && setTimeout(() => end(failed(`it took longer than ${timeout / 1000} s`)), timeout);

      let size = 0;
      const collected = [child.stdout, child.stderr].map((stream) => {
        const chunks = [];
        stream.on('data', (chunk) => {
          size += chunk.length;
          if (size <= most) chunks.push(chunk);
          else end(failed(`more than ${most / MEBIBYTE} MiB of output`));
        });
        stream.on('error', end);
        return chunks;
      });
      // A command need not read its input.
      for (const stream of [child.stdin, child.stdio[3]]) {
        stream?.on('error', (error) => { if (error.code !== 'EPIPE' && error.code !== 'ECONNRESET') end(error); });
      }
      child.stdin.end(input);
      child.stdio[3]?.end(descriptor);

      const settle = () => { signal?.removeEventListener('abort', abort); clearTimeout(timer); };
      child.on('error', (error) => { settle(); reject(reason ?? failed(error.message, error)); });
      child.on('close', (code, signalName) => {
        settle();
        if (reason) { reject(reason); return; }
        const [stdout, stderr] = collected.map((chunks) => Buffer.concat(chunks));
        resolve({ code: code ?? 128 + os.constants.signals[signalName], stdout, stderr });
      });
    });
  }
}

function locate(command) {
  const candidates = command.includes('/') ? [command] : (process.env.PATH ?? '').split(':').filter(path.isAbsolute).map((directory) => path.join(directory, command));
  for (const file of candidates) {
    try {
      fs.accessSync(file, fs.constants.X_OK);
      if (fs.statSync(file).isFile()) return file;
    } catch (error) {
      if (!['ENOENT', 'ENOTDIR', 'EACCES'].includes(error.code)) throw error;
    }
  }
  const problem = command.includes('/') ? 'cannot be run' : 'is not in PATH';
  throw new Error(`the program '${command}' ${problem}: install clawjail, or set plugins.entries.clawjail.config.command`);
}
