// `agents.defaults.sandbox.docker` and its neighbours, on a sandbox that is no container: what can be had becomes words of
// `clawjail session create`, what cannot is refused by name, because a protection that is silently absent is worse than none.
import fs from 'node:fs';
import { encodeEnvironment } from './environment.js';
import { WORKSPACE } from './paths.js';

/** The words for the limits, and the variables of every command. Throws one error that names everything that is refused. */
export function readDockerSettings(params) {
  const docker = params.cfg.docker ?? {};
  const problems = [];
  const words = [];
  for (const [key, value] of Object.entries(docker)) {
    if (isUnset(value)) continue;
    const read = Object.hasOwn(SETTINGS, key) ? SETTINGS[key] : () => { throw new Error('this plugin does not know it; remove it, or update the plugin'); };
    try {
      words.push(...read(value, docker, params) ?? []);
    } catch (error) {
      problems.push(`sandbox.docker.${key}: ${error.message}`);
    }
  }
  if (params.cfg.browser?.enabled === true) problems.push('sandbox.browser.enabled: a session has no browser; set it to false');
  if (problems.length > 0) throw new Error(`clawjail cannot do what the configuration asks for:\n  ${problems.join('\n  ')}`);
  return { words, variables: docker.env ?? {} };
}

const isUnset = (value) => value === undefined || value === null || value === false || value === ''
  || (Array.isArray(value) && value.length === 0)
  || (typeof value === 'object' && !Array.isArray(value) && Object.keys(value).length === 0);

const refused = (reason) => () => { throw new Error(reason); };
const elsewhere = () => [];

const SETTINGS = {
  // Limits.
  memory: (value) => ['--memory', clawjailSize(bytesOf(value))],
  memorySwap(value, docker) {
    if (isUnset(docker.memory) || bytesOf(value) !== bytesOf(docker.memory)) throw new Error('a session has no swap: remove it, or set it to the value of memory');
  },
  cpus(value) {
    const number = Number(value);
    if (!(number >= 0.1 && number <= 1024)) throw new Error(`must be from 0.1 to 1024, not '${value}'`);
    // Rounded down: less than asked for is still within what was asked for.
    return ['--cpus', String(Math.floor(number * 1000) / 1000)];
  },
  pidsLimit(value) {
    if (value === 0) return [];
    if (!Number.isInteger(value) || value < 0) throw new Error(`must be a number of processes, not '${value}'; without it the profile's limits.processes counts`);
    return ['--processes', String(value)];
  },
  ulimits: refused('the profile has them: limits.openFiles, limits.processes'),

  // What is read where it is needed.
  env(value) { encodeEnvironment(value); },
  binds: elsewhere,
  dangerouslyAllowReservedContainerTargets: elsewhere,
  dangerouslyAllowExternalBindSources: elsewhere,
  containerPrefix: elsewhere,

  // How a session is anyway.
  readOnlyRoot: elsewhere,
  capDrop: elsewhere,
  network(value) {
    if (value === 'none') return;
    throw new Error(`'${value}' is no network of clawjail; remove it and put rules into the profile: `
      + 'network: { allow: [{ hosts: ["example.org"] }] }');
  },
  workdir(value) {
    if (value !== WORKSPACE) throw new Error(`is always ${WORKSPACE}, not '${value}'; remove it`);
  },
  image(value) {
    // OpenClaw fills this in where nothing is set.
    if (/^openclaw-sandbox(:|$)/.test(value)) return;
    throw new Error(`there are no images ('${value}'): name the programs in the profile (process.programs), `
      + 'or show a prepared tree (filesystem.root: { directory: "…" })');
  },
  tmpfs(value) {
    const other = [value].flat().find((entry) => !['/tmp', '/var/tmp', '/run'].includes(entry));
    if (other !== undefined) throw new Error(`'${other}' cannot be had; /tmp is one, and its size is the profile's filesystem.tmp`);
  },
  user(value, docker, { workspaceDir }) {
    // Some releases of OpenClaw fill in the owner of the workspace where nothing is set.
    const { uid, gid } = fs.statSync(workspaceDir);
    if (value === `${uid}:${gid}`) return;
    throw new Error(`'${value}' cannot be chosen; a session runs as the gateway's own user, `
      + 'or, if that is root, as plugins.entries.clawjail.config.user');
  },

  // What a session does not have.
  setupCommand: refused('there is no image to set up: a session has the programs of its profile (process.programs) and the workspace'),
  seccompProfile: refused('clawjail has its own filter; remove it (the profile adds calls with process.systemCalls)'),
  apparmorProfile: refused('clawjail uses Landlock and its own filter; remove it'),
  capAdd: refused('a session has no capability, ever; remove it'),
  privileged: refused('a session has no privilege, ever; remove it'),
  securityOpt: refused('a session has all of its protections, always; remove it'),
  dns: refused('names are resolved by the way out; the profile says by which servers: network.upstream.resolvers'),
  extraHosts: refused('names are resolved by the way out; the profile says what may be reached: network.allow'),
  gpus: refused('a session shows no device; run what needs a GPU outside'),
  devices: refused('a session shows no device; run what needs one outside'),
  dangerouslyAllowContainerNamespaceJoin: refused('no namespace is ever shared; remove it'),
  workspaceMountPropagation(value) {
    if (!['private', 'rprivate'].includes(value)) throw new Error(`'${value}' cannot be had: what the host mounts later is never shown; remove it`);
  },
};

/** Docker's sizes: bytes, or a number with b, k, m, g or t. */
function bytesOf(value) {
  const [, digits, unit] = String(value).trim().match(/^(\d+(?:\.\d+)?)\s*([bkmgt]?)(?:i?b)?$/i) ?? [];
  const bytes = Math.floor(Number(digits) * 1024 ** 'bkmgt'.indexOf((unit || 'b').toLowerCase()));
  if (!Number.isSafeInteger(bytes) || bytes <= 0) throw new Error(`must be a size such as "512m", not '${value}'`);
  return bytes;
}

function clawjailSize(bytes) {
  for (const [unit, size] of [['G', 1024 ** 3], ['M', 1024 ** 2], ['K', 1024]]) {
    if (bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return String(bytes);
}
