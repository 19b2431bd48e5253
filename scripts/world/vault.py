"""An origin that serves nobody without the real credential, and that says it back wherever it can."""

import base64
import json
import secrets

from . import git, routes

# Another one in each world; its processes are forked, and know the same one.
VALUE = "sk-proj-" + secrets.token_hex(24)
BASIC = base64.b64encode(f"x:{VALUE}".encode()).decode()


def answer(request):
    kind = request.path.strip("/").split("/")[0]
    if kind == "smart":
        return repository(request)
    routes.drain(request)
    if kind == "api" and request.header("authorization") == f"Bearer {VALUE}":
        text = json.dumps({"welcome": request.path, "headers": dict(request.headers)})
        return 200, [routes.JSON, ("x-you", VALUE)], [text.encode()]
    if kind == "v1" and request.header("x-api-key") == VALUE:
        return 200, [("content-type", "text/event-stream")], events()
    return 401, [routes.TEXT], [f"who is {request.headers}?\n".encode()]


def events():
    """A stream of a model's words, and the key among them."""
    for word in ("it", " is", f" {VALUE}", " not"):
        yield f"data: {json.dumps({'delta': word})}\n\n".encode()
    yield b"data: [DONE]\n\n"


def repository(request):
    if request.header("authorization") != f"Basic {BASIC}":
        routes.drain(request)
        return 401, [("www-authenticate", 'Basic realm="vault"')], [b"no\n"]
    return git.smart(request, request.path.strip("/").partition("/")[2])
