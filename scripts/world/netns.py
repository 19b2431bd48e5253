"""Two network namespaces, 'host' and 'internet', with a wire between them.

No namespace gets a name in the file system: each lives as long as the process that holds it, so that nothing can be
left behind. The machine's own interfaces, addresses and routes are never touched: both ends of the wire are made
inside the new namespaces.
"""

import ctypes
import os
import signal
import subprocess
import sys

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1


def die_with_parent(parent):
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def unshare_network():
    if LIBC.unshare(CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare(CLONE_NEWNET)")


def enter(pid):
    """The words before a command that runs in that process's network namespace. (`ip netns exec` would mount a /sys
    of its own, without control groups.)"""
    return ["nsenter", f"--net=/proc/{pid}/ns/net", "--"]


def run(pid, *line):
    done = subprocess.run([*enter(pid), *line], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(line)}: {done.stderr.strip()}")
    return done.stdout


def spawn(work):
    """A child in a network namespace of its own that does `work(report)`; returns (pid, first line it reported).

    The child ends with this process. It ends itself when `work` returns."""
    parent = os.getpid()
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            os.close(reading)
            die_with_parent(parent)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            unshare_network()

            def report(text):
                os.write(writing, text.encode() + b"\n")
            work(report)
            status = 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(status)
    os.close(writing)
    return pid, os.fdopen(reading)


def end(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    try:
        os.waitpid(pid, 0)
    except ChildProcessError:
        pass


def connect(host, internet, names):
    """The wire, the addresses, the routes. `names` is the module that says which."""
    run(host, "ip", "link", "add", "wire", "type", "veth", "peer", "name", "wire", "netns", str(internet))
    for pid, v4, v6 in ((host, names.HOST4, names.HOST6), (internet, names.GATEWAY4, names.GATEWAY6)):
        run(pid, "ip", "link", "set", "lo", "up")
        run(pid, "ip", "address", "add", f"{v4}/30", "dev", "wire")
        run(pid, "ip", "link", "set", "wire", "up")
        run(pid, "ip", "-6", "address", "add", f"{v6}/64", "dev", "wire", "nodad")
    run(host, "ip", "route", "add", "default", "via", names.GATEWAY4)
    run(host, "ip", "-6", "route", "add", "default", "via", names.GATEWAY6)
    # Every address is one of this internet's own: whatever is dialled, public or special, arrives and is noticed.
    run(internet, "ip", "route", "add", "local", "default", "dev", "lo", "table", "main")
    run(internet, "ip", "-6", "route", "add", "local", "default", "dev", "lo", "table", "main")
    run(internet, "ip", "route", "add", "blackhole", names.BLACK_HOLE)


def set_sysctl(pid, **values):
    """Of the namespace of `pid`."""
    for key, value in values.items():
        path = "/proc/sys/net/" + key.replace("__", "/")
        run(pid, "sh", "-c", f"echo {value} > {path}")
