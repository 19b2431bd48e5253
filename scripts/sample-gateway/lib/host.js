// What the gateway asks of the host before anything else. OpenClaw asks the same, and ends with a bare stack trace where
// a jail breaks it; here the answer says what to look at.
import os from 'node:os';
import { Refusal, UNAVAILABLE } from './errors.js';

export function inspectHost() {
  let interfaces;
  try {
    interfaces = os.networkInterfaces();
  } catch (error) {
    throw new Refusal(
      `os.networkInterfaces() failed: ${error.message}. It needs netlink: socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE) must be allowed`,
      UNAVAILABLE,
    );
  }
  // With loopback down the kernel still lets us bind 127.0.0.1, and then nobody ever gets through.
  if (!Object.values(interfaces).flat().some((entry) => entry.address === '127.0.0.1')) {
    throw new Refusal('no interface has the address 127.0.0.1: the loopback interface is down', UNAVAILABLE);
  }
  const processors = os.cpus().length;
  if (processors === 0) {
    throw new Refusal(
      'os.cpus() found no processor: /proc/cpuinfo and /proc/stat must be readable (a /proc mounted with subset=pid lacks them)',
      UNAVAILABLE,
    );
  }
  return { interfaces: Object.keys(interfaces), processors };
}

/** Why the port could not be had, with the usual reason inside a jail. */
export function bindRefusal(error, host, port) {
  const hints = {
    EADDRINUSE: 'something else listens there',
    EADDRNOTAVAIL: 'this address does not exist here',
    EACCES: 'binding this port is denied',
    EPERM: 'binding this port is denied',
  };
  const hint = hints[error.code] ? ` (${hints[error.code]})` : '';
  return new Refusal(`cannot listen on ${host}:${port}: ${error.code}${hint}`, UNAVAILABLE);
}
