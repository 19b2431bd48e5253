// Paths of the host and paths inside.
import path from 'node:path';

export const WORKSPACE = '/workspace';
export const AGENT = '/agent';

/** A host path that can be said as HOST:INSIDE. */
export function spelled(place, what) {
  if (/[:\0-\x1f\x7f]/.test(place)) throw new Error(`${what}: '${place}' has a ':' or a control character in it, which clawjail does not take; rename the directory`);
  return place;
}

/** An absolute path inside, in its shortest spelling. */
export function insidePath(place, what) {
  const normal = typeof place === 'string' ? shortest(place) : '';
  if (!path.posix.isAbsolute(normal) || normal === '/') throw new Error(`${what}: '${place}' is not an absolute path inside`);
  return spelled(normal, what);
}

/** Without '.', '..', repeated slashes, and a slash at the end. */
export function shortest(place) {
  return path.posix.normalize(place).replace(/(?<=.)\/$/, '');
}

export function isWithin(root, place) {
  return place === root || place.startsWith(root === '/' ? '/' : `${root}/`);
}
