// One chat's session, by its id.
import { STATUS, ClawjailError } from './program.js';

/** The label by which a session says what it was made from. */
export const CONFIGURATION_LABEL = 'openclaw.config';
const SCOPE_LABEL = 'openclaw.scope';

export class Session {
  #program;
  #creation;

  /**
   * @param creation.words what `session create` is told besides the labels; none for a session that is only looked at
   * @param creation.label what the session is made from, in short
   * @param creation.scopeKey what it is for
   */
  constructor(program, id, creation = {}) {
    this.#program = program;
    this.id = id;
    this.#creation = creation;
  }

  /**
   * Sees to it that the session runs, with this configuration. One that runs with another is replaced, unless something
   * runs in it: then neither is right, to end it or to go on in it.
   */
  async ensure() {
    if (await this.#create()) return;
    const busy = (await this.inspect())?.execs ?? 0;
    if (busy === 0) await this.remove();
    // Busy, it may have been replaced by somebody else meanwhile.
    if (await this.#create()) return;
    throw new Error(
      `session '${this.id}' was made with another configuration, and ${busy} command${busy === 1 ? ' still runs' : 's still run'} in it: `
      + `wait for the end, or end everything with 'clawjail session remove ${this.id}'`);
  }

  async #create() {
    const { words, label, scopeKey } = this.#creation;
    const labels = ['--label', `${CONFIGURATION_LABEL}=${label}`, '--label', `${SCOPE_LABEL}=${scopeKey}`];
    const { status } = await this.#program.ask(['create', '--id', this.id, ...words, ...labels], { expected: [0, STATUS.conflict], timeout: 60_000 });
    return status === 0;
  }

  /** What clawjail knows of it, or undefined. */
  async inspect() {
    const { status, text } = await this.#program.ask(['inspect', this.id, '--json'], { expected: [0, STATUS.unknown] });
    if (status === STATUS.unknown) return undefined;
    try {
      return JSON.parse(text);
    } catch (error) {
      throw new ClawjailError('session inspect', 0, 'its answer is no JSON', error);
    }
  }

  /** Also succeeds where there is none. */
  async remove() {
    await this.#program.ask(['remove', this.id], { timeout: 60_000 });
  }

  /**
   * Sends a signal to every process of one command, those that left its process group too; with KILL it waits for their end.
   *
   * @returns whether there was any
   */
  async kill(execId, signal, timeout) {
    const { status } = await this.#program.ask(['kill', this.id, '--exec-id', execId, '--signal', signal], { expected: [0, STATUS.unknown, STATUS.state], timeout });
    return status === 0;
  }

  /** What follows the program's name. The environment comes from a file, or from an open descriptor. */
  execWords({ workdir, environmentFile, environmentDescriptor, tty = false, execId, command }) {
    return [
      'session', 'exec', this.id,
      ...(workdir === undefined ? [] : ['--workdir', workdir]),
      ...(environmentFile === undefined ? [] : ['--env-file', environmentFile]),
      ...(environmentDescriptor === undefined ? [] : ['--env-fd', String(environmentDescriptor)]),
      ...(tty ? ['--tty'] : []),
      ...(execId === undefined ? [] : ['--exec-id', execId]),
      '--', ...command,
    ];
  }
}
