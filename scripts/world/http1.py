"""HTTP/1.1 of the origins. It takes what it gets without being strict: what a naive server would accept must be seen
to have arrived, and not be refused by luck."""

import socket
import struct
import time

from . import routes, websocket
from .streams import Closed

REASONS = {200: "OK", 302: "Found", 404: "Not Found"}


def serve(stream, origin, secure, first=b""):
    stream.buffer[:0] = first
    while True:
        request, keep = read_request(stream, origin, secure)
        if request is None:
            return
        wild = WILD.get(request.path.strip("/").split("/")[0])
        if wild:
            wild(stream, request)
            return
        if (request.header("upgrade") or "").lower() == "websocket":
            websocket.serve(stream, request)
            return
        if origin.options.get("git"):
            from . import git
            status, headers, body = git.answer(request)
        else:
            status, headers, body = routes.answer(request)
        send_answer(stream, request, status, headers, body, keep)
        if not keep:
            return


def read_request(stream, origin, secure):
    line = stream.read_until(b"\n")
    while line in (b"\r\n", b"\n"):
        line = stream.read_until(b"\n")
    if line is None:
        return None, False
    words = line.decode("latin-1").split()
    if len(words) < 2:
        raise Closed("no request line")
    method, target = words[0], words[1]
    version = words[2] if len(words) > 2 else "HTTP/0.9"
    headers = read_fields(stream) if len(words) > 2 else []
    if target.startswith(("http://", "https://")):
        target = "/" + target.split("/", 3)[3] if target.count("/") > 2 else "/"
    values = {name.lower(): value for name, value in headers}
    if values.get("expect", "").lower() == "100-continue":
        stream.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    keep = version == "HTTP/1.1" and "close" not in values.get("connection", "").lower()
    return routes.Request(method, target, headers, body_of(stream, values), origin, secure, version), keep


def read_fields(stream):
    fields = []
    while True:
        line = stream.read_until(b"\n")
        if line is None:
            raise Closed("closed in the head")
        text = line.decode("latin-1").strip("\r\n")
        if not text:
            return fields
        name, _, value = text.partition(":")
        fields.append((name.strip(), value.strip()))


def body_of(stream, values):
    if "chunked" in values.get("transfer-encoding", "").lower():
        while True:
            size = int((stream.read_until(b"\n") or b"0").split(b";")[0].strip() or b"0", 16)
            if size == 0:
                break
            yield stream.read_exactly(size)
            stream.read_until(b"\n")
        read_fields(stream)
        return
    left = int(values.get("content-length", "0") or 0)
    while left > 0:
        if not stream.buffer and not stream.more():
            raise Closed("closed in the body")
        piece = stream.take(min(left, len(stream.buffer)))
        left -= len(piece)
        yield piece


def send_answer(stream, request, status, headers, body, keep):
    pieces = iter(body)
    if request.path.startswith("/blob"):
        headers = headers + [("content-length", str(request.number("size", 1 << 20)))]
    elif request.version == "HTTP/1.1" and "chunked" not in request.query:
        whole = b"".join(pieces)
        headers, pieces = headers + [("content-length", str(len(whole)))], iter([whole])
    else:
        headers = headers + [("transfer-encoding", "chunked")]
    if not keep:
        headers = headers + [("connection", "close")]
    head = f"HTTP/1.1 {status} {REASONS.get(status, 'Whatever')}\r\n"
    stream.send((head + "".join(f"{name}: {value}\r\n" for name, value in headers) + "\r\n").encode())
    if request.method == "HEAD":
        return
    chunked = ("transfer-encoding", "chunked") in headers
    for piece in pieces:
        if piece:
            stream.send(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
    if chunked:
        stream.send(b"0\r\n\r\n")


# Answers that are not as they should be, or slow. Each ends its connection.

def raw(text):
    def send(stream, request):
        routes.drain(request)
        stream.send(text)
        stream.finish()
    return send


def slow(stream, request):
    routes.drain(request)
    time.sleep(request.number("ms", 500) / 1000)
    stream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nslow\n")
    stream.finish()


def trickle(stream, request):
    """One byte at a time, from the first of the head."""
    routes.drain(request)
    for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\nConnection: close\r\n\r\ntrickle\n":
        stream.send(bytes([byte]))
        time.sleep(request.number("ms", 5) / 1000)
    stream.finish()


def hang(stream, request):
    routes.drain(request)
    while stream.more():
        pass


def hang_inside(stream, request):
    """The head and half of the body, then nothing."""
    routes.drain(request)
    stream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 500)
    while stream.more():
        pass


def reset(stream, request):
    stream.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    stream.connection.close()


def early_answer(stream, request):
    """Answers and closes while the client still sends."""
    stream.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\nConnection: close\r\n\r\nno.\n")
    stream.finish()


def endless_head(stream, request):
    stream.send(b"HTTP/1.1 200 OK\r\n")
    for number in range(1 << 20):
        stream.send(b"x-%d: %b\r\n" % (number, b"y" * 1000))


def endless_body(stream, request):
    """Until the client goes: for stalled clients."""
    stream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 107374182400\r\n\r\n")
    while True:
        stream.send(routes.BLOCK)


OK = b"HTTP/1.1 200 OK\r\n"
WILD = {
    "slow": slow, "trickle": trickle, "hang": hang, "hang-inside": hang_inside, "reset": reset,
    "early-answer": early_answer, "endless-head": endless_head, "endless-body": endless_body,
    "no-length": raw(OK + b"Connection: close\r\n\r\nuntil the end\n"),
    "http10": raw(b"HTTP/1.0 200 OK\r\n\r\nold\n"),
    "early-close": raw(OK + b"Content-Length: 1000\r\n\r\nshort"),
    "early-close-chunked": raw(OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n"),
    "bad-chunk": raw(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n"),
    "huge-chunk": raw(OK + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nhello\r\n0\r\n\r\n"),
    "unsolicited-101": raw(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nraw"),
    "informational": raw(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + OK + b"Content-Length: 3\r\n"
                         b"Connection: close\r\n\r\nok\n"),
    "trailers": raw(OK + b"Transfer-Encoding: chunked\r\nTrailer: x-end\r\n\r\n3\r\nok\n\r\n0\r\nx-end: 1\r\n\r\n"),
    "chunk-extension": raw(OK + b"Transfer-Encoding: chunked\r\n\r\n3;a=b\r\nok\n\r\n0\r\n\r\n"),
    "two-lengths": raw(OK + b"Content-Length: 3\r\nContent-Length: 6\r\n\r\nok\nbad"),
    "length-and-chunked": raw(OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nok\n\r\n0\r\n\r\n"),
    "two-answers": raw(OK + b"Content-Length: 3\r\n\r\nok\n" + OK + b"Content-Length: 6\r\n\r\npoison"),
    "folded": raw(OK + b"X-A: b\r\n c\r\nContent-Length: 3\r\n\r\nok\n"),
    "bad-status": raw(b"HTTP/1.1 2x0 OK\r\nContent-Length: 3\r\n\r\nok\n"),
    "not-http": raw(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "nul-header": raw(OK + b"X-A: b\0c\r\nContent-Length: 3\r\n\r\nok\n"),
    "bare-cr": raw(OK + b"X-A: b\rX-B: c\r\nContent-Length: 3\r\n\r\nok\n"),
    "empty-answer": raw(b""),
}
