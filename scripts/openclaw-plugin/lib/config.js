// The plugin's own settings: plugins.entries.clawjail.config.
import fs from 'node:fs';
import path from 'node:path';

const manifest = JSON.parse(fs.readFileSync(new URL('../openclaw.plugin.json', import.meta.url), 'utf8'));

/** As clawjail names them. */
const SECRET_NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/** Where a gateway that is itself in a jail asks for its sessions; there the gateway's own profile says how they are. */
export const SESSIONS_SOCKET = '/run/clawjail/sessions.sock';

/**
 * What the settings say, with the defaults filled in.
 *
 * `secrets` is undefined where nothing is said about them: then sessions have what the profile binds, and in a jail none.
 * `profile` and `user` are undefined where nothing is to be said about them: a jailed gateway may not choose.
 */
export function resolveConfig(settings = {}, jailed = fs.existsSync(SESSIONS_SOCKET)) {
  const problems = problemsOf(settings);
  if (jailed) {
    for (const key of ['profile', 'user']) {
      if (settings?.[key] !== undefined) problems.push(`${key}: is decided by the gateway's own profile (key 'sessions'); remove it`);
    }
  }
  if (problems.length > 0) throw new Error(`plugins.entries.clawjail.config: ${problems.join('; ')}`);
  return {
    command: settings.command ?? 'clawjail',
    profile: jailed ? undefined : settings.profile ?? 'session',
    user: settings.user,
    secrets: settings.secrets,
  };
}

function problemsOf(settings) {
  if (settings === null || typeof settings !== 'object' || Array.isArray(settings)) return ['must be an object'];
  const known = Object.keys(manifest.configSchema.properties);
  const problems = [];
  for (const [key, value] of Object.entries(settings)) {
    if (!known.includes(key)) problems.push(`${key}: there is no such key (${known.join(', ')})`);
    else if (key === 'secrets') problems.push(...secretProblems(value));
    // A word that begins with '-' would be read as an option.
    else if (typeof value !== 'string' || !/^[^-\0][^\0]*$/.test(value)) problems.push(`${key}: must be a text that does not begin with '-'`);
  }
  const { command } = settings;
  if (typeof command === 'string' && command.includes('/') && !path.isAbsolute(command)) {
    problems.push('command: must be a name or an absolute path');
  }
  return problems;
}

function secretProblems(secrets) {
  const isObject = secrets !== null && typeof secrets === 'object' && !Array.isArray(secrets);
  if (!isObject) return ['secrets: must be an object of agents and their lists of names'];
  return Object.entries(secrets)
    .filter(([, names]) => !Array.isArray(names) || !names.every((name) => typeof name === 'string' && SECRET_NAME.test(name)))
    .map(([agent]) => `secrets.${agent}: must be a list of names of secrets`);
}

/**
 * What `session create` is told of secrets, for what the session is for.
 *
 * Only a session that is one agent's has that agent's; one that several share has none.
 */
export function secretWords({ secrets }, scopeKey) {
  if (secrets === undefined) return [];
  const agent = /^agent:([^:]+)(:|$)/.exec(scopeKey ?? '')?.[1];
  const names = agent !== undefined && Object.hasOwn(secrets, agent) ? secrets[agent] : [];
  return names.length === 0 ? ['--no-secrets'] : [...new Set(names)].flatMap((name) => ['--secret', name]);
}

/** In the form that OpenClaw asks plugins for. */
export const configSchema = {
  jsonSchema: manifest.configSchema,
  uiHints: manifest.uiHints,
  safeParse(value) {
    const problems = problemsOf(value ?? {});
    if (problems.length === 0) return { success: true, data: value ?? {} };
    return { success: false, error: { issues: problems.map((message) => ({ path: [], message })) } };
  },
};
