// OpenClaw's side of the seam, as far as a sandbox backend sees it: loads the plugin, resolves settings, keeps the registry of
// runtimes, validates working directories, spawns what buildExecSpec says, ends it, prunes.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { register } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';

register('./sdk/resolve.js', import.meta.url);
const { default: plugin } = await import('../index.js');
const { sandboxBackend } = await import('openclaw/plugin-sdk/sandbox');

export { plugin, sandboxBackend, sleep };
export const here = (name) => fileURLToPath(new URL(name, import.meta.url));
export const CLAWJAIL = process.env.CLAWJAIL ?? here('../../../.build/release/clawjail');
/** Whom sessions run as, where the tests run as root. */
export const USER = process.getuid() === 0 ? process.env.CLAWJAIL_USER ?? 'clawjail' : undefined;
/** Why some tests are not for ordinary users. */
export const NO_GROUPS = 'without control groups nothing limits memory and processor time';
/** A mark that no other test run's sessions have. */
const RUN = randomBytes(4).toString('hex');

const endings = new WeakMap();

/** Undoes in reverse order: a session ends before its directories go. */
export function atEnd(t, action) {
  if (!endings.has(t)) {
    const actions = [];
    endings.set(t, actions);
    t.after(async () => { for (const undo of actions.reverse()) await undo(); });
  }
  endings.get(t).push(action);
}

/** A directory of this test's. Those of sessions belong to whom the session runs as. */
export function scratch(t, { ofSession = false } = {}) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'clawjail-openclaw-'));
  atEnd(t, () => fs.rmSync(directory, { recursive: true, force: true }));
  fs.chmodSync(directory, 0o755);
  if (ofSession) giveToSession(directory);
  return directory;
}

export function giveToSession(place) {
  if (USER === undefined) return;
  const [uid, gid] = ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, USER])));
  fs.chownSync(place, uid, gid);
}

export function writeFor(place, content) {
  fs.mkdirSync(path.dirname(place), { recursive: true });
  fs.writeFileSync(place, content);
}

/** An ordinary user has no control groups to give to a session. */
function profileFor(directory) {
  if (process.getuid() === 0) return 'session';
  const file = path.join(directory, 'profile.json5');
  fs.writeFileSync(file, '{ extends: "session", optional: ["cgroup", "groups"] }', { mode: 0o600 });
  return file;
}

/** What OpenClaw fills in where the configuration says nothing. */
const DOCKER_DEFAULTS = {
  image: 'openclaw-sandbox:bookworm-slim', workdir: '/workspace', readOnlyRoot: true, tmpfs: ['/tmp', '/var/tmp', '/run'],
  network: 'none', capDrop: ['ALL'], env: { LANG: 'C.UTF-8' },
};

/** One gateway: its plugin, its workspaces, and what it remembers of its runtimes. */
export class Gateway {
  runtimes = new Map();
  #cleanups = [];

  constructor(t, { pluginConfig, prefix } = {}) {
    this.t = t;
    this.directory = scratch(t);
    this.prefix = prefix ?? `t${RUN}${randomBytes(3).toString('hex')}-`;
    this.pluginConfig = pluginConfig ?? { command: CLAWJAIL, profile: profileFor(this.directory), ...(USER ? { user: USER } : {}) };
    this.load('full');
    atEnd(t, async () => {
      await this.prune();
      this.unload('disable');
    });
  }

  load(registrationMode) {
    plugin.register({
      id: plugin.id, registrationMode, pluginConfig: this.pluginConfig,
      lifecycle: { registerRuntimeLifecycle: (lifecycle) => this.#cleanups.push(lifecycle) },
    });
  }

  unload(reason, scope = {}) {
    for (const { cleanup } of this.#cleanups) cleanup({ reason, ...scope });
  }

  /** A host directory that sessions can be given as a workspace. */
  workspace(name = 'workspace') {
    const place = path.join(this.directory, name);
    if (!fs.existsSync(place)) {
      fs.mkdirSync(place, { recursive: true });
      giveToSession(place);
    }
    return place;
  }

  params({ scopeKey = 'agent:main:main', access = 'rw', workspaceDir, agentWorkspaceDir, docker = {}, browser, ...rest } = {}) {
    const agent = agentWorkspaceDir ?? this.workspace('agent');
    const own = workspaceDir ?? (access === 'rw' ? agent : this.workspace(`sandboxes/${scopeKey.replaceAll(':', '-')}`));
    return {
      sessionKey: `${scopeKey}:chat`, scopeKey, workspaceDir: own, agentWorkspaceDir: agent,
      cfg: { mode: 'all', backend: 'clawjail', scope: 'agent', workspaceAccess: access, docker: { ...DOCKER_DEFAULTS, containerPrefix: this.prefix, ...docker }, browser: { enabled: false, ...browser } },
      ...rest,
    };
  }

  /** What OpenClaw does before a sandboxed chat's first command: reserves the runtime's id, then asks for the runtime. */
  async open(options) {
    const params = this.params(options);
    const backend = sandboxBackend('clawjail');
    const containerName = backend.reserveRuntimeId(params);
    const entry = this.runtimes.get(containerName) ?? { containerName, backendId: 'clawjail', sessionKey: params.scopeKey };
    this.runtimes.set(containerName, entry);
    const handle = await backend.factory({
      ...params, runtimeId: containerName,
      assertRuntimeCurrent: () => { if (this.runtimes.get(containerName) !== entry) throw new Error('the runtime was retired'); },
    });
    assert.deepEqual([handle.id, handle.runtimeId], ['clawjail', containerName]);
    assert.equal(backend.resolveWorkdir(params), handle.workdir);
    Object.assign(entry, { image: handle.configLabel, configLabelKind: handle.configLabelKind, runtimeLabel: handle.runtimeLabel });
    return handle;
  }

  describe(handle) {
    return sandboxBackend('clawjail').manager.describeRuntime({ entry: this.runtimes.get(handle.runtimeId), config: {} });
  }

  /** Ends every runtime that it remembers, as OpenClaw's pruning does. */
  async prune() {
    for (const entry of this.runtimes.values()) await sandboxBackend('clawjail').manager.removeRuntime({ entry, config: {} });
    this.runtimes.clear();
  }
}

/** What OpenClaw's exec tool gives every command. */
const toolEnvironment = (handle, env) => ({ PATH: '/usr/local/bin:/usr/bin:/bin', HOME: handle.workdir, ...handle.env, ...env });

/** How a process ended and what it wrote: `stdout` and `stderr` as bytes, `text` and `errors` as text. */
export function finished(child) {
  const chunks = { stdout: [], stderr: [] };
  for (const name of ['stdout', 'stderr']) child[name].on('data', (chunk) => chunks[name].push(chunk));
  // A command need not read its input.
  child.stdin?.on('error', () => {});
  return new Promise((resolve, reject) => {
    // What never ends is to fail, and to be gone.
    const timer = setTimeout(() => { child.kill('SIGKILL'); reject(new Error(`not ended after 90 s: ${child.spawnargs.join(' ').slice(0, 300)}`)); }, 90_000);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const [stdout, stderr] = [chunks.stdout, chunks.stderr].map((list) => Buffer.concat(list));
      resolve({ code, signal, stdout, stderr, text: stdout.toString(), errors: stderr.toString() });
    });
  });
}

/**
 * Starts one command as OpenClaw's exec tool does. `result` settles when it has ended; `cancel` is the tool's abort: it ends
 * the process that it started, and then asks the backend to end what that left.
 */
export async function start(handle, command, { workdir, env = {}, input, pty, exact = false } = {}) {
  const place = workdir === undefined ? handle.workdir : await handle.validateWorkdir(workdir);
  if (place === null) throw new Error(`the working directory ${workdir} is refused`);
  const cleanup = handle.prepareProcessCleanup(exact ? env : toolEnvironment(handle, env));
  const spec = await handle.buildExecSpec({ command, workdir: place, env: cleanup.env, usePty: pty !== undefined });
  spec.assertCurrent?.();
  const argv = pty === undefined ? spec.argv : ['python3', here('helpers/terminal.py'), JSON.stringify(pty), ...spec.argv];
  const child = spawn(argv[0], argv.slice(1), { env: spec.env, stdio: ['pipe', 'pipe', 'pipe'] });
  if (pty === undefined) child.stdin.end(input);
  const result = finished(child).then(async (ended) => {
    await handle.finalizeExec({ status: ended.code === 0 ? 'completed' : 'failed', exitCode: ended.code, timedOut: false, token: spec.finalizeToken });
    return ended;
  });
  const cancel = async () => {
    child.kill('SIGKILL');
    await cleanup.terminate();
    await result;
  };
  return { child, spec, cleanup, result, cancel };
}

/** Runs one command to its end. */
export async function run(handle, command, options) {
  return (await start(handle, command, options)).result;
}

/** The text that a command prints; it must succeed and print no error. */
export async function textOf(handle, command, options) {
  const { code, signal, text, errors } = await run(handle, command, options);
  assert.deepEqual([code, signal, errors], [0, null, ''], command);
  return text;
}

/** Waits until a condition holds. */
export async function until(condition, what, patience = 10_000) {
  const deadline = Date.now() + patience;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > deadline) assert.fail(`still not after ${patience} ms: ${what}`);
    await sleep(20);
  }
}

/** Process ids on the host whose command line holds a text. */
export function processesWith(text) {
  return fs.readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && Number(pid) !== process.pid && fs.readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(text);
    } catch {
      return false; // ended meanwhile, or not ours to read
    }
  }).map(Number);
}

/** Runs `clawjail` itself, as somebody at a terminal would. */
export function clawjail(...words) {
  return finished(spawn(CLAWJAIL, words, { stdio: ['ignore', 'pipe', 'pipe'] }));
}
