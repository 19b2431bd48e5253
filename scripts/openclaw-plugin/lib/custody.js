// Who may end which command.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

const MARKER = 'CLAWJAIL_EXEC_ID';
const GRACE = 1000; // milliseconds between asking to end and ending
const KILL_TIME = 10_000;

/**
 * Names for commands that are about to start, so that they can be ended whether or not the process that OpenClaw sees is
 * still there.
 *
 * The name travels from prepareProcessCleanup to buildExecSpec as a variable in the environment that OpenClaw hands from
 * one to the other, and is taken out there. Only names given out here count: a chat may set any variable.
 */
export class Custody {
  #session;
  #prepared = new Map();

  constructor(session) {
    this.#session = session;
  }

  prepare(environment) {
    const id = randomUUID();
    const command = { ended: false };
    this.#prepared.set(id, command);
    return {
      env: { ...environment, [MARKER]: id },
      terminate: async () => {
        // What has not begun yet never will.
        command.ended = true;
        if (!await this.#session.kill(id, 'TERM', KILL_TIME)) return;
        await sleep(GRACE);
        await this.#session.kill(id, 'KILL', KILL_TIME);
      },
      interrupt: (timeout) => this.#session.kill(id, 'INT', timeout),
    };
  }

  /** The name in this environment, if any, and the environment without it. */
  take(environment) {
    const { [MARKER]: id, ...variables } = environment;
    const command = this.#prepared.get(id);
    if (!command) return { variables: environment, assertNotEnded() {} };
    this.#prepared.delete(id);
    const assertNotEnded = () => { if (command.ended) throw new Error('the command was ended before it began'); };
    assertNotEnded();
    return { execId: id, variables, assertNotEnded };
  }
}
