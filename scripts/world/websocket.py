"""The server's side of a WebSocket that says everything back (RFC 6455)."""

import base64
import hashlib
import struct

from .streams import Closed

MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def accept_key(key):
    return base64.b64encode(hashlib.sha1(key.encode() + MAGIC).digest()).decode()


def frame(opcode, data):
    size = len(data)
    head = bytes([0x80 | opcode])
    if size < 126:
        return head + bytes([size]) + data
    if size < 1 << 16:
        return head + bytes([126]) + struct.pack("!H", size) + data
    return head + bytes([127]) + struct.pack("!Q", size) + data


def serve(stream, request):
    key = request.header("sec-websocket-key") or ""
    wrong = "wrong-accept" in request.path
    accept = accept_key(key + ("x" if wrong else ""))
    stream.send((f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 f"Sec-WebSocket-Accept: {accept}\r\n\r\n").encode())
    stream.send(frame(1, b"welcome"))
    while True:
        first, second = stream.read_exactly(2)
        size = second & 127
        if size == 126:
            size = struct.unpack("!H", stream.read_exactly(2))[0]
        elif size == 127:
            size = struct.unpack("!Q", stream.read_exactly(8))[0]
        if size > 64 << 20 or not second & 128:
            raise Closed("a frame that no client may send")
        mask = stream.read_exactly(4)
        data = stream.read_exactly(size)
        data = bytes(byte ^ mask[n & 3] for n, byte in enumerate(data)) if size < 4096 else unmask(data, mask)
        opcode = first & 15
        if opcode == 8:
            stream.send(frame(8, data))
            stream.finish()
            return
        stream.send(frame(10 if opcode == 9 else opcode, data))


def unmask(data, mask):
    size = len(data)
    key = int.from_bytes((mask * (size // 4 + 1))[:size], "big")
    return (int.from_bytes(data, "big") ^ key).to_bytes(size, "big")
