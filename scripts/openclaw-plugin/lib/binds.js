// `docker.binds`. OpenClaw checks them for its container backends, not for plugins: so the same rules stand here.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { AGENT, WORKSPACE, insidePath, isWithin, spelled } from './paths.js';

const SYSTEM = ['/etc', '/proc', '/sys', '/dev', '/boot', '/root', '/run', '/var/run', '/private/etc', '/private/var/run'];
const CREDENTIALS = ['.aws', '.cargo', '.config', '.docker', '.gnupg', '.netrc', '.npm', '.ssh'];

/** @param roots the real paths that sources may lie in */
export function readBinds({ cfg }, roots) {
  const { binds = [], dangerouslyAllowExternalBindSources: anySource, dangerouslyAllowReservedContainerTargets: anyTarget } = cfg.docker;
  return binds.map((text) => {
    const bind = typeof text === 'string' ? text.trim() : '';
    const refuse = (reason) => { throw new Error(`sandbox.docker.binds '${bind}': ${reason}`); };
    const [source, target, mode = '', ...rest] = bind.split(':');
    if (!source || !target || rest.length > 0) refuse('must be HOST:INSIDE:ro');
    checkMode(mode, refuse);
    if (!path.isAbsolute(source)) refuse('the host path must be absolute');

    const inside = insidePath(target, `sandbox.docker.binds '${bind}'`);
    if (anyTarget !== true && [WORKSPACE, AGENT].some((root) => isWithin(root, inside))) {
      refuse(`${inside} is OpenClaw's own (dangerouslyAllowReservedContainerTargets allows it)`);
    }
    // As it is written and as it is: a link in a workspace may have been made by a command.
    const real = realPath(source, refuse);
    for (const place of new Set([path.normalize(source), real])) {
      const blocked = blockedBy(place);
      if (blocked) refuse(`${blocked} is never shown in a sandbox`);
    }
    if (anySource !== true && !roots.some((root) => isWithin(root, real))) {
      refuse(`the host path is outside of ${roots.join(', ')} (dangerouslyAllowExternalBindSources allows it)`);
    }
    return { source: spelled(real, `sandbox.docker.binds '${bind}'`), target: inside };
  });
}

function checkMode(mode, refuse) {
  const options = mode.split(',').filter((option) => option !== 'z' && option !== 'Z');
  if (options.length === 1 && options[0] === 'ro') return;
  if (options.some((option) => !['', 'ro', 'rw'].includes(option))) refuse(`'${mode}' is not a mode that clawjail has`);
  refuse("is writable: write ':ro' after it, or put a filesystem.write rule into the clawjail profile");
}

function realPath(source, refuse) {
  try {
    return fs.realpathSync(source);
  } catch (error) {
    return refuse(`the host path cannot be shown: ${error.code}`);
  }
}

function blockedBy(place) {
  const homes = [os.homedir(), process.env.HOME].filter((home) => home && path.isAbsolute(home) && home !== '/');
  const blocked = [...SYSTEM, ...homes.flatMap((home) => CREDENTIALS.map((name) => path.join(home, name)))];
  return place === '/' ? '/' : blocked.find((one) => isWithin(one, place));
}
