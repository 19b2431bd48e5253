// The WebSocket half of the port: one session for each connection. Requests are {type:"req", id, method, params};
// each is answered by {type:"res", id, ok, payload | error}.
import { randomUUID } from 'node:crypto';
import { ToolError, failure } from './errors.js';
import { REQUEST_LIMIT, sameToken } from './http.js';

const AUTHENTICATION_MS = 5000;
const KEEP_ALIVE_MS = 30_000;
/** Before the token is known to be right, nobody may make us hold much. */
const STRANGER_LIMIT = 8192;

export class Session {
  id = randomUUID();
  #connection;
  #gateway;
  #authorised = false;
  #running = 0;
  #farewell;

  constructor(connection, gateway, { authorised }) {
    this.#connection = connection;
    this.#gateway = gateway;
    connection.maxMessage = STRANGER_LIMIT;
    const patience = setTimeout(() => connection.close(1008, 'no token was sent'), AUTHENTICATION_MS);
    const keepAlive = setInterval(() => connection.ping(), KEEP_ALIVE_MS);
    connection.on('close', (code) => {
      clearTimeout(patience);
      clearInterval(keepAlive);
      gateway.sessionClosed(this, this.#authorised ? code : undefined);
    });
    connection.on('message', (text) => this.#receive(text, patience));
    if (authorised) this.#admit(patience);
  }

  /** Says goodbye now, or once the calls that are running have been answered. */
  finish(code, reason) {
    this.#farewell = () => this.#connection.close(code, reason);
    if (this.#running === 0) this.#farewell();
  }

  terminate() {
    this.#connection.terminate();
  }

  #admit(patience) {
    clearTimeout(patience);
    this.#authorised = true;
    this.#connection.maxMessage = REQUEST_LIMIT;
    this.#gateway.sessionOpened(this);
  }

  async #receive(text, patience) {
    const request = parseRequest(text);
    if (request === undefined) {
      this.#answer(null, failure(new ToolError('BAD_REQUEST', 'expected {"type":"req","id":…,"method":…}')));
      if (!this.#authorised) this.#connection.close(1008, 'no token was sent');
      return;
    }
    if (!this.#authorised) {
      if (request.method !== 'connect' || !sameToken(request.params?.auth?.token, this.#gateway.token)) {
        this.#answer(request.id, failure(new ToolError('UNAUTHORIZED', 'the first request must be "connect" with the token')));
        this.#connection.close(1008, 'unauthorized');
        return;
      }
      this.#admit(patience);
    }
    this.#running += 1;
    this.#answer(request.id, await this.#perform(request));
    this.#running -= 1;
    if (this.#running === 0) this.#farewell?.();
  }

  async #perform({ method, params }) {
    if (method === 'connect') return { ok: true, result: { session: this.id } };
    if (method === 'health' || method === 'status') return { ok: true, result: this.#gateway.status() };
    if (method === 'tools.call') return this.#gateway.callTool(params?.name, params?.params, this.id);
    return failure(new ToolError('UNKNOWN_METHOD', `there is no method "${method}"`));
  }

  #answer(id, outcome) {
    const body = outcome.ok ? { ok: true, payload: outcome.result } : { ok: false, error: outcome.error };
    this.#connection.send(JSON.stringify({ type: 'res', id, ...body }));
  }
}

function parseRequest(text) {
  try {
    const request = JSON.parse(text);
    const isProper = request?.type === 'req' && typeof request.id === 'string' && request.id.length <= 128 && typeof request.method === 'string';
    return isProper ? request : undefined;
  } catch {
    return undefined;
  }
}
