"""What arrived where, byte by byte, in files that the tests read."""

import json
import os
import threading
import time

# Of one connection: more than that is counted only.
MOST_BYTES = 4 << 20


class EventLog:
    """One JSON object on each line."""

    def __init__(self, path):
        self.path, self.lock = path, threading.Lock()
        self.descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def write(self, event):
        line = json.dumps({"at": round(time.time(), 4), **event}) + "\n"
        with self.lock:
            os.write(self.descriptor, line.encode())


class OriginLog:
    """NAME.wire: bytes as they came; NAME.plain: after TLS; NAME.events: connections."""

    def __init__(self, directory, name):
        base = os.path.join(directory, name)
        self.paths = {kind: f"{base}.{kind}" for kind in ("wire", "plain", "events")}
        self.events = EventLog(self.paths["events"])
        self.files = {kind: os.open(self.paths[kind], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
                      for kind in ("wire", "plain")}

    def bytes(self, kind, data):
        os.write(self.files[kind], data)
