"""What a hostile command can find of others. Run in a session; prints one JSON object.

    hostile.py '{"words": […], "tcp": [PORT…], "abstract": [NAME…], "paths": [PATH…]}'

`words` are secrets: every readable file and every process is searched for them. The rest is tried to connect to.
"""

import ctypes
import json
import os
import socket
import stat
import sys

order = json.loads(sys.argv[1])
words = [word.encode() for word in order["words"]]
own = {os.getpid(), os.getppid()}
found = {"files": [], "processes": [], "environments": [], "memory": [], "descriptors": [], "connected": [], "sockets": [],
         "signals": [], "traced": [], "escapes": []}


def holds(data):
    return [word.decode() for word in words if word in data]


def read(path, size=1 << 20):
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return b""
    try:
        return os.read(descriptor, size)
    except OSError:
        return b""
    finally:
        os.close(descriptor)


# Files: everything that can be reached by a path, by name and by content.
for directory, names, files in os.walk("/", followlinks=False):
    names[:] = [n for n in names if os.path.join(directory, n) not in ("/proc", "/usr", "/sys")]
    for name in names + files:
        path = os.path.join(directory, name)
        if holds(os.fsencode(path)):
            found["files"].append(path)
            continue
        try:
            status = os.lstat(path)
        except OSError:
            continue
        if stat.S_ISREG(status.st_mode) and holds(read(path)):
            found["files"].append(path)
        if stat.S_ISSOCK(status.st_mode):
            found["sockets"].append(path)

# Processes: their arguments, environments, open files, roots and memory.
libc = ctypes.CDLL(None, use_errno=True)
for name in os.listdir("/proc"):
    if not name.isdigit() or int(name) in own:
        continue
    base = f"/proc/{name}"
    found["processes"] += holds(read(f"{base}/cmdline"))
    found["environments"] += holds(read(f"{base}/environ"))
    for link in ("root", "cwd", "fd"):
        try:
            entries = os.listdir(f"{base}/{link}")
        except OSError:
            continue
        if int(name) == 1:
            found["descriptors"].append(f"{base}/{link}: {entries[:5]}")
    try:
        with open(f"{base}/mem", "rb", buffering=0) as memory:
            for line in read(f"{base}/maps").splitlines():
                bounds, rights = line.split()[:2]
                start, end = (int(x, 16) for x in bounds.split(b"-"))
                if rights.startswith(b"r") and end - start < 64 << 20:
                    try:
                        memory.seek(start)
                        found["memory"] += holds(memory.read(end - start))
                    except (OSError, OverflowError, ValueError):
                        pass
    except OSError:
        pass
    if int(name) == 1 and libc.ptrace(16, 1, 0, 0) == 0:  # PTRACE_ATTACH
        found["traced"].append(1)

# Every process that could be there, by number: with hidden ones, a signal is what tells.
for pid in range(2, 40000):
    if not os.path.exists(f"/proc/{pid}"):
        try:
            os.kill(pid, 0)
            found["signals"].append(pid)
        except OSError as error:
            if error.errno != 3:  # ESRCH
                found["signals"].append(f"{pid}: {error.errno}")

# Descriptors that were left open for this command.
for number in os.listdir("/proc/self/fd"):
    try:
        target = os.readlink(f"/proc/self/fd/{number}")
    except OSError:
        continue
    if int(number) > 2 and not target.startswith("/proc/"):
        found["descriptors"].append(f"{number}: {target}")


def attempt(kind, address, family, transport=socket.SOCK_STREAM):
    with socket.socket(family, transport) as one:
        one.settimeout(1)
        try:
            one.connect(address)
            found["connected"].append(f"{kind} {address}")
        except OSError:
            pass


for port in order["tcp"]:
    for address in ("127.0.0.1", "127.0.0.2", "0.0.0.0"):
        attempt("tcp", (address, port), socket.AF_INET)
    try:
        attempt("tcp", ("::1", port), socket.AF_INET6)
    except OSError:
        pass
for name in order["abstract"]:
    for transport in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET, socket.SOCK_DGRAM):
        attempt("abstract", "\0" + name, socket.AF_UNIX, transport)
for path in order["paths"]:
    if os.path.lexists(path):
        found["files"].append(path)
    for transport in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET, socket.SOCK_DGRAM):
        attempt("path", path, socket.AF_UNIX, transport)
for line in read("/proc/net/unix").decode().splitlines()[1:]:
    if len(line.split()) > 7:
        found["sockets"].append(line.split(None, 7)[7])

# Ways out that are none: new namespaces with rights in them, mounts, the host's tables.
for name, call in (
    ("mount", lambda: libc.mount(b"none", b"/tmp", b"tmpfs", 0, None)),
    ("unshare", lambda: libc.unshare(0x10000000 | 0x00020000)),
    ("setns", lambda: libc.setns(os.open("/proc/1/ns/mnt", os.O_RDONLY), 0)),
    ("chroot", lambda: libc.chroot(b"/tmp")),
    ("symlink in the workspace", lambda: os.symlink("/proc/1/root", "/workspace/way") or len(os.listdir("/workspace/way/")) * 0),
    ("raw socket", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1).close() or 0),
    ("packet socket", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close() or 0),
    ("device", lambda: os.mknod("/tmp/device", 0o600 | stat.S_IFBLK, os.makedev(8, 0)) or 0),
):
    try:
        if call() == 0:
            found["escapes"].append(name)
    except OSError:
        pass

for key, value in found.items():
    found[key] = sorted(set(map(str, value)))
print(json.dumps(found))
