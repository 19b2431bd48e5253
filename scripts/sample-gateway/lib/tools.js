// The tools, and the runner that counts, bounds and ends their calls. Each tool takes its parameters and a signal that
// is raised when the gateway can wait no longer, and returns a plain object.
import { setMaxListeners } from 'node:events';
import { constants } from 'node:fs';
import fs from 'node:fs/promises';
import { TextDecoder } from 'node:util';
import { ToolError, failure } from './errors.js';
import { runInChat } from './chats.js';
import { runProgram } from './exec.js';

const READ_LIMIT = 1 << 20;
const BODY_LIMIT = 256 << 10;
const CALLS_AT_ONCE = 16;
/** How long a call that was told to end may take to do so: a file operation cannot be interrupted. */
const ENDING_MS = 500;
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

const tools = new Map(Object.entries({ read, write, exec, chat, fetch: fetchUrl, env, ps }));

export class ToolRunner {
  #running = new Set();
  #ending = newEnding();

  /** Never throws: a failing tool is an answer. */
  async call(name, params) {
    if (!tools.has(name)) return failure(new ToolError('UNKNOWN_TOOL', `there is no tool "${name}"; there are ${[...tools.keys()].join(', ')}`));
    if (this.#running.size >= CALLS_AT_ONCE) return failure(new ToolError('BUSY', `${CALLS_AT_ONCE} tools are running already`));
    const call = this.#perform(tools.get(name), params ?? {});
    this.#running.add(call);
    try {
      return await call;
    } finally {
      this.#running.delete(call);
    }
  }

  /** Waits for what runs; after the given time ends it. Whoever waits for an answer still gets one. */
  async drain(milliseconds) {
    const ending = this.#ending;
    // A signal stays raised, and after a restart there will be new calls.
    this.#ending = newEnding();
    const soft = setTimeout(() => ending.abort(), milliseconds);
    let hard;
    const gaveUp = new Promise((resolve) => { hard = setTimeout(resolve, milliseconds + ENDING_MS); });
    await Promise.race([Promise.all(this.#running), gaveUp]);
    clearTimeout(soft);
    clearTimeout(hard);
  }

  async #perform(tool, params) {
    try {
      if (typeof params !== 'object' || Array.isArray(params)) throw new ToolError('BAD_PARAMS', 'the parameters must be an object');
      return { ok: true, result: await tool(params, this.#ending.signal) };
    } catch (error) {
      return failure(error);
    }
  }
}

function newEnding() {
  const ending = new AbortController();
  // Node warns of a leak at eleven listeners; here each running call has one.
  setMaxListeners(CALLS_AT_ONCE + 1, ending.signal);
  return ending;
}

async function read({ path }) {
  requireText('path', path);
  // Not blocking, because opening a pipe that nobody writes to would wait forever.
  const file = await fs.open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!(await file.stat()).isFile()) throw new ToolError('NOT_A_FILE', `"${path}" is not a regular file`);
    // The size says nothing for files of /proc: read until the end or the limit.
    const buffer = Buffer.alloc(READ_LIMIT + 1);
    let size = 0;
    while (size < buffer.length) {
      const { bytesRead } = await file.read(buffer, size, buffer.length - size);
      if (bytesRead === 0) break;
      size += bytesRead;
    }
    return { ...encoded(buffer.subarray(0, Math.min(size, READ_LIMIT))), truncated: size > READ_LIMIT };
  } finally {
    await file.close();
  }
}

async function write({ path, content }) {
  requireText('path', path);
  if (typeof content !== 'string') throw new ToolError('BAD_PARAMS', '"content" must be a text');
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NONBLOCK;
  await fs.writeFile(path, content, { flag: flags, mode: 0o644 });
  return { bytes: Buffer.byteLength(content) };
}

async function exec({ argv, command, timeoutMs }, signal) {
  if ((argv === undefined) === (command === undefined)) throw new ToolError('BAD_PARAMS', 'give either "argv" or "command"');
  if (command !== undefined) requireText('command', command);
  const words = argv ?? ['/bin/sh', '-lc', command];
  if (!Array.isArray(words) || words.length === 0 || words[0] === '' || !words.every((word) => typeof word === 'string')) {
    throw new ToolError('BAD_PARAMS', '"argv" must be a list of texts, beginning with a program');
  }
  return runProgram(words, { timeoutMs: timeLimit(timeoutMs), signal });
}

async function chat({ chat, command, timeoutMs }, signal) {
  requireText('command', command);
  return runInChat({ chat, command }, timeLimit(timeoutMs), signal);
}

async function fetchUrl({ url, method = 'GET', headers, body, timeoutMs }, signal) {
  requireText('url', url);
  if (!/^https?:\/\//i.test(url)) throw new ToolError('BAD_PARAMS', '"url" must begin with http:// or https://');
  const verb = String(method).toUpperCase();
  if (!METHODS.includes(verb)) throw new ToolError('BAD_PARAMS', `"method" must be one of ${METHODS.join(', ')}`);
  const limit = timeLimit(timeoutMs);
  const ending = new AbortController();
  const end = () => ending.abort();
  const deadline = setTimeout(end, limit);
  signal.addEventListener('abort', end);
  try {
    const response = await fetch(url, { method: verb, headers, body, signal: ending.signal });
    const content = await readBody(response);
    return { url: response.url, status: response.status, headers: Object.fromEntries(response.headers), ...content };
  } catch (error) {
    if (signal.aborted) throw new ToolError('SHUTDOWN', 'the gateway is stopping; the request was given up');
    if (ending.signal.aborted) throw new ToolError('TIMEOUT', `no complete answer from ${url} within ${limit} ms`);
    // fetch says only "fetch failed"; why (a refused connection, an unknown name, a bad certificate) is in the cause.
    const cause = error.cause ?? error;
    throw new ToolError(cause.code ?? 'FETCH_FAILED', `${verb} ${url}: ${cause.message || cause.code || error.message}`);
  } finally {
    clearTimeout(deadline);
    signal.removeEventListener('abort', end);
  }
}

async function readBody(response) {
  const chunks = [];
  let size = 0;
  // Leaving the loop early also cancels the transfer.
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > BODY_LIMIT) break;
  }
  return { ...encoded(Buffer.concat(chunks).subarray(0, BODY_LIMIT)), truncated: size > BODY_LIMIT };
}

/** Names only: the values hold keys. */
async function env() {
  return { names: Object.keys(process.env).sort() };
}

async function ps() {
  const pids = (await fs.readdir('/proc')).filter((name) => /^\d+$/.test(name)).slice(0, 1000);
  const found = await Promise.all(pids.map(describeProcess));
  return { processes: found.filter((entry) => entry !== undefined) };
}

async function describeProcess(pid) {
  try {
    const status = await fs.readFile(`/proc/${pid}/status`, 'utf8');
    const command = await fs.readFile(`/proc/${pid}/cmdline`, 'utf8');
    const field = (name) => status.match(new RegExp(`^${name}:\\s*(\\S*)`, 'm'))?.[1];
    return {
      pid: Number(pid),
      ppid: Number(field('PPid')),
      uid: Number(field('Uid')),
      name: field('Name'),
      command: command.split('\0').join(' ').trim().slice(0, 4096),
    };
  } catch {
    return undefined; // it ended meanwhile
  }
}

/** Text where the bytes are text, otherwise base64; nothing is silently replaced. */
function encoded(bytes) {
  try {
    return { encoding: 'utf8', content: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { encoding: 'base64', content: bytes.toString('base64') };
  }
}

function requireText(name, value) {
  if (typeof value !== 'string' || value === '') throw new ToolError('BAD_PARAMS', `"${name}" must be a text`);
}

function timeLimit(milliseconds = 10_000) {
  if (!Number.isInteger(milliseconds) || milliseconds < 1 || milliseconds > 600_000) {
    throw new ToolError('BAD_PARAMS', '"timeoutMs" must be between 1 and 600000');
  }
  return milliseconds;
}
