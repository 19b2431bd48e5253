// Which host directories a session shows, and where: what OpenClaw's workspace settings mean.
import fs from 'node:fs';
import path from 'node:path';
import { readBinds } from './binds.js';
import { AGENT, WORKSPACE, insidePath, isWithin, spelled } from './paths.js';

/** Where OpenClaw puts copies of skills that lie outside of the workspace. */
const COPIED_SKILLS = ['.openclaw', 'sandbox-skills'];

/**
 * The words of `session create` for one chat's directories, and the directories inside that commands may start in.
 *
 * `none` and `ro` show the chat's own workspace read-only (`ro` the agent's beside it, at /agent); `rw` shows the agent's
 * workspace itself, writable, with the skills in it covered read-only: instructions that a command could change would be
 * followed by every later chat.
 */
export function mountsOf(params) {
  const access = params.cfg.workspaceAccess;
  if (!['none', 'ro', 'rw'].includes(access)) throw new Error(`sandbox.workspaceAccess must be none, ro or rw, not '${access}'`);

  const workspace = directory(params.workspaceDir, 'the workspace');
  const words = ['--workspace', `${workspace}:${WORKSPACE}${access === 'rw' ? '' : ':ro'}`];
  const roots = [WORKSPACE];
  const agent = directory(params.agentWorkspaceDir, "the agent's workspace");
  if (access !== 'none' && agent !== workspace) {
    words.push('--agent', `${agent}:${AGENT}${access === 'rw' ? '' : ':ro'}`);
    roots.push(AGENT);
  }

  const covers = new Map();
  for (const mount of [...skillsOf(params, agent), ...resourcesOf(params), ...readBinds(params, [workspace, agent])]) {
    const other = covers.get(mount.target);
    if (other !== undefined && other !== mount.source) throw new Error(`two mounts at ${mount.target}: ${other} and ${mount.source}`);
    covers.set(mount.target, mount.source);
  }
  for (const [target, source] of covers) words.push('--ro', `${source}:${target}`);
  return { words, roots };
}

function skillsOf(params, agent) {
  if (params.cfg.workspaceAccess !== 'rw') return [];
  const copied = params.skillsWorkspaceDir ?? path.join(agent, ...COPIED_SKILLS);
  const places = [
    { root: agent, parts: ['skills'], target: `${WORKSPACE}/skills` },
    { root: agent, parts: ['.agents', 'skills'], target: `${WORKSPACE}/.agents/skills` },
    { root: copied, parts: ['skills'], target: `${WORKSPACE}/${COPIED_SKILLS.join('/')}/skills` },
  ];
  return places.flatMap(({ root, parts, target }) => {
    const source = directoryWithin(root, parts);
    return source === undefined ? [] : [{ source, target }];
  });
}

/** A directory that is there, and really is below `root`: a link could lead anywhere, and a command may have made it. */
function directoryWithin(root, parts) {
  const place = path.join(root, ...parts);
  if (!fs.lstatSync(place, { throwIfNoEntry: false })?.isDirectory()) return undefined;
  const source = fs.realpathSync(place);
  return isWithin(fs.realpathSync(root), source) ? spelled(source, 'the skills') : undefined;
}

function resourcesOf({ readOnlyResourceMounts = [] }) {
  return readOnlyResourceMounts.map(({ hostPath, containerPath }) => ({
    source: spelled(fs.realpathSync(hostPath), 'a read-only resource'),
    target: insidePath(containerPath, 'a read-only resource'),
  }));
}

function directory(place, what) {
  if (typeof place !== 'string' || !path.isAbsolute(place)) throw new Error(`${what} must be an absolute path, not '${place}'`);
  const real = fs.realpathSync(place);
  if (!fs.statSync(real).isDirectory()) throw new Error(`${what} '${place}' is not a directory`);
  return spelled(real, what);
}
