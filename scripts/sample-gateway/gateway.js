#!/usr/bin/env node
// The sample gateway: what `make run` and the end-to-end tests put into a jail when OpenClaw itself is not installed.
// It asks the system for the same things as the OpenClaw gateway does, so that a jail which suits one suits the other.
//
//   node gateway.js [gateway [run]] [--port N] [--bind loopback] [--token T]
import { Gateway } from './lib/gateway.js';
import { Refusal } from './lib/errors.js';
import { Log } from './lib/log.js';
import { readOptions } from './lib/options.js';

process.title = 'openclaw-gateway';

// A reader of our output that goes away (`gateway | head`) must not take the gateway with it.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});

const log = new Log();
try {
  const gateway = new Gateway(readOptions(process.argv.slice(2), process.env), log);
  // Before the start, so that a signal that arrives meanwhile is an orderly stop as well. SIGUSR1 needs its handler
  // early for another reason: without one, Node opens its debugger port on it.
  process.on('SIGTERM', () => gateway.stop('SIGTERM'));
  process.on('SIGINT', () => gateway.stop('SIGINT'));
  process.on('SIGUSR1', () => gateway.restart());
  await gateway.start();
} catch (error) {
  log.error(`cannot start: ${error.message}`, { code: error.code });
  process.exit(error instanceof Refusal ? error.status : 1);
}
