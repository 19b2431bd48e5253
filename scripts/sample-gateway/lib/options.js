// Command line and environment. All refusals end with 78: a wrong command line does not get better by restarting.
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Refusal } from './errors.js';

export const DEFAULT_PORT = 18789;

export function readOptions(argv, env) {
  let parsed;
  try {
    parsed = parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        port: { type: 'string' },
        bind: { type: 'string', default: 'loopback' },
        token: { type: 'string' },
        // Taken and ignored, so that one command line serves OpenClaw and this program: there is nothing to configure here.
        'allow-unconfigured': { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new Refusal(error.message);
  }
  const { values, positionals } = parsed;
  if (!['', 'gateway', 'gateway run'].includes(positionals.join(' '))) {
    throw new Refusal(`unknown command "${positionals.join(' ')}"; there is only "gateway"`);
  }
  if (values.bind !== 'loopback') {
    throw new Refusal(`--bind ${values.bind}: only "loopback" exists here; a jail publishes ports, the gateway does not`);
  }
  const stateDirectory = env.OPENCLAW_STATE_DIR || path.join(env.HOME || os.homedir(), '.openclaw');
  return {
    port: portFrom(values.port, '--port') ?? portFrom(env.OPENCLAW_GATEWAY_PORT || undefined, 'OPENCLAW_GATEWAY_PORT'),
    token: values.token || env.OPENCLAW_GATEWAY_TOKEN || undefined,
    stateDirectory: path.resolve(stateDirectory),
    configReadOnly: env.OPENCLAW_CONFIG_READONLY === '1',
    drainMs: drainFrom(env.OPENCLAW_DRAIN_MS),
  };
}

/** A port as text or number; undefined stays undefined. 0 lets the kernel choose, which is what tests want. */
export function portFrom(value, origin) {
  if (value === undefined) return undefined;
  const port = /^\d{1,5}$/.test(String(value)) ? Number(value) : NaN;
  if (!(port <= 65535)) throw new Refusal(`${origin}: "${value}" is not a port number (0 to 65535)`);
  return port;
}

function drainFrom(text) {
  if (!text) return 2000;
  if (!/^\d{1,6}$/.test(text)) throw new Refusal(`OPENCLAW_DRAIN_MS: "${text}" is not a number of milliseconds`);
  return Number(text);
}
