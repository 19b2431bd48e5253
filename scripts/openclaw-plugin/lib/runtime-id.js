// The name of a chat's session.
import { createHash } from 'node:crypto';

const FORM = /^[a-z0-9][a-z0-9_-]{0,47}$/;
const DEFAULT_PREFIX = 'openclaw-sbx-';

/**
 * The id for a scope (one chat, one agent, or all of them): readable words, then a hash, because the words alone would be
 * the same for `agent:a:b` and `agent:a_b`. Always the same for the same scope, so that a restarted gateway finds its sessions.
 *
 * `docker.containerPrefix` is what keeps the sessions of two gateways of one user apart.
 */
export function runtimeIdOf({ scopeKey, cfg }) {
  if (typeof scopeKey !== 'string' || scopeKey === '') throw new Error('OpenClaw gave no scope key');
  const prefix = cfg?.docker?.containerPrefix ?? DEFAULT_PREFIX;
  const hash = createHash('sha256').update(JSON.stringify([prefix, scopeKey])).digest('hex').slice(0, 12);
  const words = `${prefix === DEFAULT_PREFIX ? 'oc-' : prefix}${scopeKey}`
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-/, '')
    .slice(0, 34)
    .replace(/-$/, '');
  return words === '' ? hash : `${words}-${hash}`;
}

/** What the sessions of one gateway have in common: they share one process for their ways out, if their profiles have any. */
export function groupOf({ cfg }) {
  const prefix = cfg?.docker?.containerPrefix ?? DEFAULT_PREFIX;
  return `openclaw-${createHash('sha256').update(prefix).digest('hex').slice(0, 12)}`;
}

/** Throws unless this is what `clawjail session` takes as an id. */
export function checkRuntimeId(id) {
  if (typeof id !== 'string' || !FORM.test(id)) throw new Error(`'${id}' is not the id of a clawjail session`);
  return id;
}
