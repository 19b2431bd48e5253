// Running programs for the `exec` tool: bounded in time and output, and never leaving anything behind.
import { spawn } from 'node:child_process';
import { ToolError } from './errors.js';

const OUTPUT_LIMIT = 1 << 20;
/** After the program has ended, how long its output may stay open: a descendant in its own session can hold it forever. */
const OUTPUT_WAIT_MS = 250;

export function runProgram(argv, { timeoutMs, signal }) {
  return new Promise((resolve, reject) => {
    // Its own process group, so that ending it ends what it started.
    let child;
    try {
      child = spawn(argv[0], argv.slice(1), { detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: environment() });
    } catch (error) {
      throw startFailure(error, argv[0]);
    }
    child.on('error', (error) => reject(startFailure(error, argv[0])));
    // Without a descriptor to spare there are no pipes, and the error above is still on its way.
    if (!child.stdout) return;
    const stdout = collect(child.stdout);
    const stderr = collect(child.stderr);
    let timedOut = false;
    const deadline = setTimeout(() => {
      timedOut = true;
      killGroup(child);
    }, timeoutMs);
    const onAbort = () => killGroup(child);
    signal.addEventListener('abort', onAbort);
    child.on('exit', () => {
      killGroup(child);
      setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
      }, OUTPUT_WAIT_MS).unref();
    });
    child.on('close', (exitCode, exitSignal) => {
      clearTimeout(deadline);
      signal.removeEventListener('abort', onAbort);
      if (signal.aborted) return reject(new ToolError('SHUTDOWN', 'the gateway is stopping; the program was ended'));
      resolve({
        exitCode,
        signal: exitSignal,
        timedOut,
        stdout: stdout.text(),
        stderr: stderr.text(),
        truncated: stdout.truncated || stderr.truncated,
      });
    });
  });
}

/** Programs that the agent starts have no business with the key to the gateway. */
function environment() {
  const { OPENCLAW_GATEWAY_TOKEN, ...rest } = process.env;
  return rest;
}

function startFailure(error, program) {
  const reasons = {
    ENOENT: `there is no program "${program}" here, or what it needs to start (its interpreter) is missing`,
    EACCES: `"${program}" is not executable here`,
    EPERM: `starting "${program}" is denied`,
    EAGAIN: `"${program}" was not started: the limit of processes is reached`,
  };
  return new ToolError(error.code ?? 'INTERNAL', reasons[error.code] ?? `"${program}" was not started: ${error.message}`);
}

function killGroup(child) {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // Nobody is left in the group.
  }
}

/** Keeps the beginning. The rest is still read, so that the program does not wait forever on a full pipe. */
function collect(stream) {
  const chunks = [];
  let size = 0;
  const output = {
    truncated: false,
    text: () => Buffer.concat(chunks).toString('utf8'),
  };
  stream.on('data', (chunk) => {
    const room = OUTPUT_LIMIT - size;
    if (chunk.length > room) output.truncated = true;
    if (room > 0) chunks.push(chunk.subarray(0, room));
    size += Math.min(chunk.length, room);
  });
  return output;
}
