"""What an origin answers, for HTTP/1.1 and HTTP/2 alike: a request in, (status, headers, body) out."""

import gzip
import hashlib
import json

BLOCK = bytes((number * 7 + number // 251) % 256 for number in range(1 << 16))


def blob(size):
    """Pieces of a body whose digest anybody can work out: see `blob_digest`."""
    whole, rest = divmod(size, len(BLOCK))
    for _ in range(whole):
        yield BLOCK
    if rest:
        yield BLOCK[:rest]


def blob_digest(size):
    digest = hashlib.sha256()
    for piece in blob(size):
        digest.update(piece)
    return digest.hexdigest()


class Request:
    """`body` is an iterator of pieces."""

    def __init__(self, method, target, headers, body, origin, secure, version):
        self.method, self.target, self.headers, self.body = method, target, headers, body
        self.origin, self.secure, self.version = origin, secure, version
        self.path, _, query = target.partition("?")
        self.query = dict(part.partition("=")[::2] for part in query.split("&") if part)

    def number(self, name, otherwise):
        return int(self.query.get(name, otherwise))

    def header(self, name):
        return next((value for key, value in self.headers if key.lower() == name), None)


TEXT = ("content-type", "text/plain; charset=utf-8")
JSON = ("content-type", "application/json")


def answer(request):
    """(status, [(name, value)], iterable of pieces)."""
    if request.origin.options.get("vault"):
        from . import vault
        return vault.answer(request)
    name = request.path.strip("/").split("/")[0] or "index"
    return ROUTES.get(name, not_found)(request)


def drain(request):
    for _ in request.body:
        pass


def index(request):
    drain(request)
    return 200, [TEXT], [f"hello from {request.origin.name} over {request.version}\n".encode()]


def not_found(request):
    drain(request)
    return 404, [TEXT], [b"no such thing\n"]


def headers(request):
    """What arrived, so that tests see what the way out wrote."""
    drain(request)
    return 200, [JSON], [json.dumps({"method": request.method, "target": request.target, "version": request.version,
                                     "headers": request.headers}).encode()]


def echo(request):
    return 200, [TEXT], [b"".join(request.body)]


def download(request):
    drain(request)
    return 200, [("content-type", "application/octet-stream")], blob(request.number("size", 1 << 20))


def upload(request):
    digest, size = hashlib.sha256(), 0
    for piece in request.body:
        digest.update(piece)
        size += len(piece)
    return 200, [JSON], [json.dumps({"size": size, "sha256": digest.hexdigest()}).encode()]


def compressed(request):
    drain(request)
    return 200, [TEXT, ("content-encoding", "gzip")], [gzip.compress(b"hello, compressed\n" * 100)]


def redirect(request):
    drain(request)
    return 302, [("location", request.query.get("to", "/"))], []


def status(request):
    drain(request)
    return request.number("code", 200), [TEXT], [b"as asked\n"]


def huge_headers(request):
    drain(request)
    count, size = request.number("count", 10), request.number("size", 1000)
    return 200, [TEXT] + [(f"x-filler-{n}", "f" * size) for n in range(count)], [b"many headers\n"]


def cookies(request):
    drain(request)
    return 200, [TEXT, ("set-cookie", "a=1; Path=/"), ("set-cookie", "b=2; Path=/")], [
        (request.header("cookie") or "none").encode()]


ROUTES = {
    "index": index, "headers": headers, "echo": echo, "blob": download, "upload": upload, "gzip": compressed,
    "redirect": redirect, "status": status, "huge-headers": huge_headers, "cookies": cookies,
}
