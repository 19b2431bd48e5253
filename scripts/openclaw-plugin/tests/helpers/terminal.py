"""Runs a program on a terminal of its own and plays a person at it.

    terminal.py '{"rows": 40, "columns": 100, "steps": [["expect", "$ "], ["send", "stty size\\r"], ["resize", 50, 120]]}' PROGRAM ARGUMENT…

Everything that the program shows goes to standard output, and its status is this one's.
"""

import fcntl
import json
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

order = json.loads(sys.argv[1])
child, terminal = pty.fork()
if child == 0:
    time.sleep(0.05)  # until the size is set
    os.execvp(sys.argv[2], sys.argv[2:])


def resize(rows, columns):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


resize(order.get("rows", 24), order.get("columns", 80))
steps = order.get("steps", [])
shown = b""
deadline = time.monotonic() + order.get("seconds", 20)
while True:
    while steps:
        name, *arguments = steps[0]
        if name == "expect":
            place = shown.find(arguments[0].encode())
            if place < 0:
                break
            shown = shown[place + len(arguments[0].encode()):]
        elif name == "send":
            os.write(terminal, arguments[0].encode())
        elif name == "resize":
            resize(*arguments)
        steps.pop(0)
    if not select.select([terminal], [], [], 0.1)[0]:
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            sys.exit(f"terminal.py: still waiting for {steps[:1]}, after {shown[-300:]!r}")
        continue
    try:
        data = os.read(terminal, 65536)
    except OSError:
        data = b""
    if not data:
        break
    shown += data
    os.write(1, data)
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
sys.exit(f"terminal.py: never came to {steps[0]}" if steps else status if status >= 0 else 128 - status)
