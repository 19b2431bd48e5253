// WebSocket frames, RFC 6455 section 5. Text messages only, without extensions. One class speaks for both ends, because
// Node before 22 has no client either; they differ in who masks.
import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';

const CONTINUATION = 0, TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10;
const OPCODES = new Set([CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG]);

/** How long the other side has to answer our close, and how much it may leave unread before it is given up. */
const CLOSE_WAIT_MS = 1000;
const UNREAD_LIMIT = 8 << 20;
/** A message in ever smaller pieces costs memory for each piece, whatever its size. */
const FRAGMENT_LIMIT = 1024;

/** What goes wrong on the wire, with the close code that tells the other side. */
class ProtocolError extends Error {
  constructor(closeCode, message) {
    super(message);
    this.closeCode = closeCode;
  }
}

/** Events: message(text), pong(), close(code, reason). */
export class WebSocketConnection extends EventEmitter {
  #socket;
  #isClient;
  #pending = Buffer.alloc(0);
  #fragments = [];
  #fragmentBytes = 0;
  #open = true; // we have not sent a close yet
  #listening = true; // what arrives is still worth reading
  #closeCode = 1006; // RFC: the connection ended without a close frame
  #closeReason = '';

  constructor(socket, { head, isClient = false, maxMessage = 1 << 20 } = {}) {
    super();
    this.maxMessage = maxMessage;
    this.#socket = socket;
    this.#isClient = isClient;
    socket.setNoDelay(true);
    socket.on('error', () => {}); // always followed by 'close'
    socket.on('end', () => socket.end());
    socket.on('close', () => {
      this.#open = false;
      this.emit('close', this.#closeCode, this.#closeReason);
    });
    // What came along with the handshake goes back in front of what is still to come.
    if (head?.length > 0) socket.unshift(head);
    socket.on('data', (chunk) => this.#receive(chunk));
  }

  send(text) {
    if (this.#open) this.#sendFrame(TEXT, Buffer.from(text));
  }

  ping() {
    if (this.#open) this.#sendFrame(PING, Buffer.alloc(0));
  }

  close(code = 1000, reason = '') {
    if (!this.#open) return;
    const payload = Buffer.alloc(2 + Buffer.byteLength(reason));
    payload.writeUInt16BE(code);
    payload.write(reason, 2);
    this.#sendFrame(CLOSE, payload);
    this.#open = false;
    setTimeout(() => this.terminate(), CLOSE_WAIT_MS).unref();
  }

  terminate() {
    this.#socket.destroy();
  }

  #receive(chunk) {
    // After a violation the rest is read and dropped: closing with unread data would reset the connection, and the
    // other side would never see why.
    if (!this.#listening) return;
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    try {
      while (this.#listening) {
        const frame = readFrame(this.#pending, !this.#isClient, this.maxMessage - this.#fragmentBytes);
        if (frame === undefined) return;
        this.#pending = this.#pending.subarray(frame.size);
        this.#handle(frame);
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#listening = false;
      this.#closeCode = error.closeCode;
      this.#closeReason = error.message;
      this.close(error.closeCode, error.message);
      this.#socket.end();
    }
  }

  #handle({ opcode, final, payload }) {
    if (opcode === PING) {
      if (this.#open) this.#sendFrame(PONG, payload);
    } else if (opcode === PONG) {
      this.emit('pong');
    } else if (opcode === CLOSE) {
      this.#handleClose(payload);
    } else if (opcode === BINARY) {
      throw new ProtocolError(1003, 'only text messages are understood');
    } else {
      this.#handleText(opcode, final, payload);
    }
  }

  #handleText(opcode, final, payload) {
    const continues = this.#fragments.length > 0;
    if (continues !== (opcode === CONTINUATION)) throw new ProtocolError(1002, 'fragments out of order');
    this.#fragments.push(payload);
    this.#fragmentBytes += payload.length;
    if (this.#fragments.length > FRAGMENT_LIMIT) throw new ProtocolError(1009, 'too many fragments');
    if (!final) return;
    const text = decodeText(Buffer.concat(this.#fragments));
    this.#fragments = [];
    this.#fragmentBytes = 0;
    if (this.#open) this.emit('message', text);
  }

  #handleClose(payload) {
    const code = payload.length === 0 ? 1005 : payload.length === 1 ? 0 : payload.readUInt16BE();
    const mayBeSent = (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code <= 4999);
    if (payload.length > 0 && !mayBeSent) throw new ProtocolError(1002, 'not a close code');
    this.#closeCode = code;
    this.#closeReason = decodeText(payload.subarray(2));
    this.#listening = false;
    this.close(code === 1005 ? 1000 : code);
    this.#socket.end();
  }

  #sendFrame(opcode, payload) {
    if (!this.#socket.writable) return;
    if (this.#socket.writableLength > UNREAD_LIMIT) {
      this.terminate();
      return;
    }
    const length = payload.length;
    const extended = length < 126 ? 0 : length < 65536 ? 2 : 8;
    const header = Buffer.alloc(2 + extended);
    header[0] = 0x80 | opcode;
    header[1] = (this.#isClient ? 0x80 : 0) | (extended === 0 ? length : extended === 2 ? 126 : 127);
    if (extended === 2) header.writeUInt16BE(length, 2);
    if (extended === 8) header.writeBigUInt64BE(BigInt(length), 2);
    const mask = this.#isClient ? randomBytes(4) : undefined;
    this.#socket.write(Buffer.concat(mask ? [header, mask, masked(payload, mask)] : [header, payload]));
  }
}

/** The first frame in the buffer, or undefined until it is complete. Its length is judged before its content is awaited. */
function readFrame(buffer, expectMask, limit) {
  if (buffer.length < 2) return undefined;
  const final = (buffer[0] & 0x80) !== 0;
  const opcode = buffer[0] & 0x0f;
  if (buffer[0] & 0x70) throw new ProtocolError(1002, 'no extension was agreed on');
  if (!OPCODES.has(opcode)) throw new ProtocolError(1002, 'unknown kind of frame');
  if (((buffer[1] & 0x80) !== 0) !== expectMask) throw new ProtocolError(1002, expectMask ? 'frame without a mask' : 'frame with a mask');
  const short = buffer[1] & 0x7f;
  const extended = short < 126 ? 0 : short === 126 ? 2 : 8;
  const maskAt = 2 + extended;
  if (buffer.length < maskAt) return undefined;
  const length = extended === 0 ? short : extended === 2 ? buffer.readUInt16BE(2) : Number(buffer.readBigUInt64BE(2));
  if (opcode >= CLOSE && (!final || length > 125)) throw new ProtocolError(1002, 'malformed control frame');
  if (opcode < CLOSE && length > limit) throw new ProtocolError(1009, 'message too large');
  const start = maskAt + (expectMask ? 4 : 0);
  const size = start + length;
  if (buffer.length < size) return undefined;
  const payload = buffer.subarray(start, size);
  return { final, opcode, size, payload: expectMask ? masked(payload, buffer.subarray(maskAt, start)) : payload };
}

function masked(payload, mask) {
  const result = Buffer.allocUnsafe(payload.length);
  for (let i = 0; i < payload.length; i += 1) result[i] = payload[i] ^ mask[i & 3];
  return result;
}

function decodeText(bytes) {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new ProtocolError(1007, 'not UTF-8');
  }
}
