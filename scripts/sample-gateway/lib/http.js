// The HTTP half of the port: health without a key, everything else with one.
import { createHash, timingSafeEqual } from 'node:crypto';
import { ToolError, failure } from './errors.js';

export const REQUEST_LIMIT = 1 << 20;
/** So much of a request that is too large is still read: a client that is cut off while sending never sees the answer. */
const DISCARD_LIMIT = 16 << 20;

/** Compares digests: equal lengths for timingSafeEqual, and the time says nothing about the length of the token. */
export function sameToken(offered, expected) {
  const digest = (text) => createHash('sha256').update(text).digest();
  return typeof offered === 'string' && timingSafeEqual(digest(offered), digest(expected));
}

export function bearerToken(request) {
  return /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
}

export function handleRequest(gateway) {
  return async (request, response) => {
    const answer = (status, body, headers = {}) => {
      const text = JSON.stringify(body) + '\n';
      // A connection whose request body was not read cannot carry another request; and a stopping gateway wants no more.
      const bodyIsDue = 'content-length' in request.headers || 'transfer-encoding' in request.headers;
      if (gateway.draining || (bodyIsDue && !request.complete)) response.setHeader('Connection', 'close');
      response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text), ...headers });
      response.end(request.method === 'HEAD' ? undefined : text);
    };
    try {
      await route(gateway, request, answer);
    } catch (error) {
      answer(error.httpStatus ?? 500, failure(error));
    }
  };
}

async function route(gateway, request, answer) {
  const path = request.url.split('?', 1)[0];
  const isRead = request.method === 'GET' || request.method === 'HEAD';

  if (path === '/healthz' && isRead) return answer(200, { ok: true, status: 'live' });
  if (path === '/readyz' && isRead) {
    const status = gateway.status();
    return answer(status.ready ? 200 : 503, { ok: status.ready, ...status });
  }
  if (!sameToken(bearerToken(request), gateway.token)) {
    throw httpError(401, 'UNAUTHORIZED', 'send the token as "Authorization: Bearer TOKEN"');
  }

  if (path === '/sessions' && isRead) return answer(200, { ok: true, result: gateway.history() });
  if (path.startsWith('/tools/')) {
    if (request.method !== 'POST') throw httpError(405, 'METHOD', 'tools are called with POST');
    const params = parseBody(await readBounded(request));
    const outcome = await gateway.callTool(path.slice('/tools/'.length), params, 'http');
    // A tool that ran and failed is a proper answer to a proper request.
    return answer({ UNKNOWN_TOOL: 404, DRAINING: 503 }[outcome.error?.code] ?? 200, outcome);
  }
  throw httpError(404, 'NOT_FOUND', `there is nothing at ${request.method} ${path}`);
}

async function readBounded(request) {
  const chunks = [];
  let size = 0;
  if (Number(request.headers['content-length'] ?? 0) > DISCARD_LIMIT) throw tooLarge();
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    size += chunk.length;
    if (size > DISCARD_LIMIT) break;
    if (size > REQUEST_LIMIT) chunks.length = 0;
    else chunks.push(chunk);
  }
  if (size > REQUEST_LIMIT) throw tooLarge();
  return Buffer.concat(chunks).toString('utf8');
}

function parseBody(text) {
  if (text.trim() === '') return {};
  try {
    return JSON.parse(text);
  } catch (error) {
    throw httpError(400, 'BAD_JSON', error.message);
  }
}

function tooLarge() {
  return httpError(413, 'TOO_LARGE', `a request may have ${REQUEST_LIMIT} bytes`);
}

function httpError(status, code, message) {
  return Object.assign(new ToolError(code, message), { httpStatus: status });
}
