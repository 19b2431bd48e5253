// The life of the gateway: start, restart in place, stop.
import http from 'node:http';
import path from 'node:path';
import { acquireLock } from './lock.js';
import { ToolRunner } from './tools.js';
import { State } from './state.js';
import { openStore } from './store.js';
import { Session } from './session.js';
import { bindRefusal, inspectHost } from './host.js';
import { DEFAULT_PORT } from './options.js';
import { ToolError, failure } from './errors.js';
import { acceptHandshake, handshakeObjection, refuseHandshake } from './handshake.js';
import { bearerToken, handleRequest, sameToken } from './http.js';
import { WebSocketConnection } from './websocket.js';

const HOST = '127.0.0.1';
const SESSIONS_AT_ONCE = 64;
/** What is still connected after the drain gets this long to take its answer and its goodbye. */
const GOODBYE_MS = 500;

export class Gateway {
  #options;
  #log;
  #state;
  #store;
  #lock;
  #server;
  #port;
  #unwatch = () => {};
  #tools = new ToolRunner();
  #sessions = new Set();
  #stopping = false;
  #starting;
  #restarting;
  token;
  draining = false;

  constructor(options, log) {
    this.#options = options;
    this.#log = log;
  }

  start() {
    this.#starting = this.#begin();
    return this.#starting;
  }

  /** The first signal counts. Later ones change nothing: only SIGKILL is quicker than the drain. */
  async stop(signal) {
    if (this.#stopping) return this.#log.warn(`${signal} ignored: already stopping`);
    this.#stopping = true;
    this.#log.info(`${signal}: stopping`);
    // If the start fails, the entry point reports that and ends the process.
    await this.#starting;
    await this.#restarting;
    await this.#silence(1001, 'the gateway is stopping');
    this.#unwatch();
    this.#store.close();
    this.#lock.release();
    this.#log.info('stopped');
    process.exit(0);
  }

  /** In place: the process, its pid, its lock and its port stay. */
  restart() {
    if (this.#stopping || this.#restarting) return;
    this.#restarting = this.#again().finally(() => { this.#restarting = undefined; });
  }

  async #begin() {
    const host = inspectHost();
    this.#state = new State(this.#options.stateDirectory, { readOnly: this.#options.configReadOnly });
    this.#lock = acquireLock(path.join(this.#state.directory, 'gateway.lock'));
    try {
      // Only now: the owner of the lock, and nobody else, may rewrite the configuration.
      this.#configure();
      const logFile = this.#log.openFile(this.#state.logFile);
      this.#store = await openStore(path.join(this.#state.directory, 'state'));
      this.#port = this.#options.port ?? this.#state.port ?? DEFAULT_PORT;
      this.#unwatch = this.#state.watch(
        () => this.#log.info('openclaw.json changed: configuration reloaded'),
        (error) => this.#log.warn(`openclaw.json: ${error.message}; the configuration in force stays`),
      );
      await this.#listen();
      this.#log.debug('started', { ...host, node: process.version, store: this.#store.format, stateDirectory: this.#state.directory, logFile });
    } catch (error) {
      this.#lock.release();
      throw error;
    }
  }

  async #again() {
    this.#log.info('SIGUSR1: restarting');
    await this.#starting;
    await this.#silence(1012, 'the gateway is restarting');
    try {
      this.#configure();
      this.#log.info('configuration reloaded');
    } catch (error) {
      this.#log.error(`configuration not reloaded: ${error.message}`);
    }
    if (this.#stopping) return;
    try {
      await this.#listen();
    } catch (error) {
      this.#log.error(`cannot restart: ${error.message}`);
      this.#lock.release();
      process.exit(error.status ?? 1);
    }
  }

  /** The token in force is kept apart from the configuration, so that no edit can leave the running gateway without one. */
  #configure() {
    this.#state.load();
    this.#state.touch({ needsToken: this.#options.token === undefined });
    this.token = this.#options.token ?? this.#state.token;
  }

  async #listen() {
    const server = http.createServer({ requestTimeout: 30_000, headersTimeout: 10_000 }, handleRequest(this));
    server.maxConnections = 256;
    server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    await new Promise((resolve, reject) => {
      server.once('error', (error) => reject(bindRefusal(error, HOST, this.#port)));
      server.listen({ host: HOST, port: this.#port, exclusive: true }, resolve);
    });
    server.on('error', (error) => this.#log.warn(`server: ${error.message}`));
    this.#server = server;
    // From a port that the kernel chose, so that a restart comes back to it.
    this.#port = server.address().port;
    this.draining = false;
    this.#log.info(`listening on ws://${HOST}:${this.#port} (pid ${process.pid})`);
  }

  /** Takes nothing new, lets what runs come to its end, and closes every connection with the given code. */
  async #silence(code, reason) {
    this.draining = true;
    // Upgraded connections are counted by the server as well: closed means that all are gone.
    const closed = new Promise((resolve) => { this.#server.close(resolve); });
    for (const session of this.#sessions) session.finish(code, reason);
    await this.#tools.drain(this.#options.drainMs);
    const deadline = setTimeout(() => {
      for (const session of this.#sessions) session.terminate();
      this.#server.closeAllConnections();
    }, GOODBYE_MS);
    this.#server.closeIdleConnections();
    await closed;
    clearTimeout(deadline);
  }

  #upgrade(request, socket, head) {
    socket.on('error', () => {});
    const objection = handshakeObjection(request);
    if (objection) return refuseHandshake(socket, objection);
    if (this.draining || this.#sessions.size >= SESSIONS_AT_ONCE) return refuseHandshake(socket, 503);
    // A token in the header must be right; without one, the first message has to bring it.
    const authorised = request.headers.authorization !== undefined;
    if (authorised && !sameToken(bearerToken(request), this.token)) return refuseHandshake(socket, 401);
    acceptHandshake(request, socket);
    this.#sessions.add(new Session(new WebSocketConnection(socket, { head }), this, { authorised }));
  }

  // What HTTP and the sessions ask of the gateway:

  status() {
    const { pid, version: node } = process;
    return { ready: !this.draining, pid, port: this.#port, store: this.#store.format, node, sessions: this.#sessions.size };
  }

  history() {
    const part = (kind) => ({ count: this.#store.count(kind), recent: this.#store.recent(kind, 20) });
    return { sessions: part('session'), calls: part('call') };
  }

  async callTool(name, params, caller) {
    // Also for a request whose body was still arriving when the stop began: nothing is started that nobody would end.
    if (this.draining) return failure(new ToolError('DRAINING', 'the gateway is stopping'));
    const began = Date.now();
    const outcome = await this.#tools.call(name, params);
    this.#remember('call', { tool: String(name).slice(0, 64), caller, ok: outcome.ok, code: outcome.error?.code, ms: Date.now() - began });
    return outcome;
  }

  sessionOpened(session) { this.#remember('session', { id: session.id, event: 'opened' }); }

  sessionClosed(session, code) {
    this.#sessions.delete(session);
    if (code !== undefined) this.#remember('session', { id: session.id, event: 'closed', code });
  }

  /** History is worth a warning when it is lost, not the call that it is about: the disk may be full. */
  #remember(kind, record) {
    try {
      this.#store.append(kind, { at: new Date().toISOString(), ...record });
    } catch (error) {
      this.#log.warn(`history not written: ${error.message}`);
    }
    this.#log.debug(kind, record);
  }
}
