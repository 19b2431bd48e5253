"""Repositories over HTTPS: /smart/NAME through git's own server, /dumb/NAME as files."""

import os
import subprocess

REPOSITORIES = None


def make(directory):
    """A repository with two commits, which both paths serve, and one that takes pushes from anybody."""
    global REPOSITORIES
    REPOSITORIES = directory
    work = os.path.join(directory, "work")
    environment = {"PATH": "/usr/bin:/bin", "HOME": directory, "GIT_CONFIG_NOSYSTEM": "1",
                   "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example", "GIT_COMMITTER_NAME": "a",
                   "GIT_COMMITTER_EMAIL": "a@example"}

    def git(*arguments, cwd=work):
        subprocess.run(["git", *arguments], cwd=cwd, env=environment, check=True, capture_output=True)

    os.makedirs(work)
    git("init", "-q", "-b", "main")
    for number in (1, 2):
        with open(os.path.join(work, "file.txt"), "w") as file:
            file.write(f"version {number}\n" * 1000)
        git("add", "file.txt")
        git("commit", "-q", "-m", f"commit {number}")
    bare = os.path.join(directory, "project.git")
    git("clone", "-q", "--bare", work, bare, cwd=directory)
    git("config", "http.receivepack", "true", cwd=bare)
    git("update-server-info", cwd=bare)


def answer(request):
    kind, _, rest = request.path.strip("/").partition("/")
    return smart(request, rest) if kind == "smart" else dumb(request, rest)


def dumb(request, path):
    for _ in request.body:
        pass
    full = os.path.realpath(os.path.join(REPOSITORIES, path))
    if not full.startswith(REPOSITORIES + "/") or not os.path.isfile(full) or request.method not in ("GET", "HEAD"):
        return 404, [("content-type", "text/plain")], [b"no such file\n"]
    with open(full, "rb") as file:
        return 200, [("content-type", "application/octet-stream")], [file.read()]


def smart(request, path):
    body = b"".join(request.body)
    environment = {
        "PATH": "/usr/bin:/bin", "GIT_PROJECT_ROOT": REPOSITORIES, "GIT_HTTP_EXPORT_ALL": "1", "HOME": REPOSITORIES,
        "PATH_INFO": "/" + path, "QUERY_STRING": request.target.partition("?")[2], "REQUEST_METHOD": request.method,
        "CONTENT_TYPE": request.header("content-type") or "", "CONTENT_LENGTH": str(len(body)),
        "REMOTE_USER": "anybody", "REMOTE_ADDR": "0.0.0.0", "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*",
    }
    for header, variable in (("content-encoding", "HTTP_CONTENT_ENCODING"), ("git-protocol", "GIT_PROTOCOL")):
        if request.header(header):
            environment[variable] = request.header(header)
    done = subprocess.run(["git", "http-backend"], env=environment, input=body, capture_output=True)
    head, _, content = done.stdout.partition(b"\r\n\r\n")
    fields = [tuple(part.strip() for part in line.split(":", 1)) for line in head.decode().split("\r\n") if ":" in line]
    status = next((int(value.split()[0]) for name, value in fields if name.lower() == "status"), 200)
    return status, [field for field in fields if field[0].lower() != "status"], [content]
