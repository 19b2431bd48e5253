// The plugin's own settings: plugins.entries.clawjail.config.
import fs from 'node:fs';
import path from 'node:path';

const manifest = JSON.parse(fs.readFileSync(new URL('../openclaw.plugin.json', import.meta.url), 'utf8'));

/** Where a gateway that is itself in a jail asks for its sessions; there the gateway's own profile says how they are. */
export const SESSIONS_SOCKET = '/run/clawjail/sessions.sock';

/**
 * What the settings say, with the defaults filled in.
 *
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
  };
}

function problemsOf(settings) {
  if (settings === null || typeof settings !== 'object' || Array.isArray(settings)) return ['must be an object'];
  const known = Object.keys(manifest.configSchema.properties);
  const problems = [];
  for (const [key, value] of Object.entries(settings)) {
    if (!known.includes(key)) problems.push(`${key}: there is no such key (${known.join(', ')})`);
    // A word that begins with '-' would be read as an option.
    else if (typeof value !== 'string' || !/^[^-\0][^\0]*$/.test(value)) problems.push(`${key}: must be a text that does not begin with '-'`);
  }
  const { command } = settings;
  if (typeof command === 'string' && command.includes('/') && !path.isAbsolute(command)) {
    problems.push('command: must be a name or an absolute path');
  }
  return problems;
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
