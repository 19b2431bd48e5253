// What the gateway asks of the host before anything else. OpenClaw asks the same, and ends with a bare stack trace where
// a jail breaks it; here the answer says what to look at.
import os from 'node:os';
import { Refusal, UNAVAILABLE } from './errors.js';

export function inspectHost() {
  let interfaces;
  try {
    interfaces = Object.keys(os.networkInterfaces());
  } catch (error) {
    throw new Refusal(
      `os.networkInterfaces() failed: ${error.message}. It needs netlink: socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE) must be allowed`,
      UNAVAILABLE,
    );
  }
  const processors = os.cpus().length;
  if (processors === 0) {
    throw new Refusal(
      'os.cpus() found no processor: /proc/cpuinfo and /proc/stat must be readable (a /proc mounted with subset=pid lacks them)',
      UNAVAILABLE,
    );
  }
  return { interfaces, processors };
}

/** Why the port could not be had, with the usual reason inside a jail. */
export function bindRefusal(error, host, port) {
  const hints = {
    EADDRINUSE: 'something else listens there',
    EADDRNOTAVAIL: 'the loopback interface is down or has no address',
    EACCES: 'binding this port is denied',
    EPERM: 'binding this port is denied',
  };
  const hint = hints[error.code] ? ` (${hints[error.code]})` : '';
  return new Refusal(`cannot listen on ${host}:${port}: ${error.code}${hint}`, UNAVAILABLE);
}
