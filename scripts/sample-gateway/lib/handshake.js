// The opening of a WebSocket connection, RFC 6455 section 4, on both sides.
import { createHash } from 'node:crypto';

/** What the server answers to a key: the proof that it understood what it was asked for. */
export function acceptValue(key) {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

/** Undefined if this is a proper opening handshake, otherwise the HTTP status that refuses it. */
export function handshakeObjection(request) {
  const { upgrade = '', connection = '', 'sec-websocket-key': key = '', 'sec-websocket-version': version } = request.headers;
  const asksForUpgrade = connection.toLowerCase().split(',').some((token) => token.trim() === 'upgrade');
  if (request.method !== 'GET' || upgrade.toLowerCase() !== 'websocket' || !asksForUpgrade) return 400;
  if (version !== '13') return 426;
  return /^[A-Za-z0-9+/]{22}==$/.test(key) ? undefined : 400;
}

export function acceptHandshake(request, socket) {
  socket.write(
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
    + `Sec-WebSocket-Accept: ${acceptValue(request.headers['sec-websocket-key'])}\r\n\r\n`,
  );
}

const REFUSALS = { 400: 'Bad Request', 401: 'Unauthorized', 426: 'Upgrade Required', 503: 'Service Unavailable' };

export function refuseHandshake(socket, status) {
  const version = status === 426 ? 'Sec-WebSocket-Version: 13\r\n' : '';
  socket.write(`HTTP/1.1 ${status} ${REFUSALS[status]}\r\n${version}Connection: close\r\nContent-Length: 0\r\n\r\n`);
  // Not just end(): the other side could keep its half open, and the server would count it forever.
  socket.destroySoon();
}
