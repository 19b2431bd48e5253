"""The servers: one thread for each connection."""

import socket
import ssl
import threading

from . import http1, http2
from .logs import OriginLog
from .names import HOST_TRAP_PORTS, ORIGINS, TRAP_PORTS
from .streams import Closed, Stream, TLSStream

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def context_for(origin, pair, files):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)
    context.set_alpn_protocols(list(origin.alpn))
    if origin.options.get("maximum"):
        context.maximum_version = getattr(ssl.TLSVersion, origin.options["maximum"])
    if origin.options.get("demands_certificate"):
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(files["ca"])
    return context


class Listener:
    """One port of one address; several origins may share it, and the name in the ClientHello tells which is meant."""

    def __init__(self, kind, origins, logs, contexts):
        self.kind, self.origins, self.logs, self.contexts = kind, origins, logs, contexts

    def choose(self, name):
        origin = next((o for o in self.origins if name and (name == o.host or name.endswith("." + o.host))),
                      self.origins[0])
        return self.logs[origin.name], self.contexts[origin.name]

    def accept(self, listening):
        while True:
            connection, peer = listening.accept()
            threading.Thread(target=self.connection, args=(connection, peer), daemon=True).start()

    def connection(self, connection, peer):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(120)
        local = connection.getsockname()
        event = {"origin": self.origins[0].name, "kind": self.kind, "to": local[0], "port": local[1], "from": peer[0]}
        stream = Stream(connection, self.logs[self.origins[0].name])
        stream.log.events.write({"event": "accepted", **event})
        try:
            if self.kind == "https":
                stream = TLSStream(connection, stream.log, self.choose)
                event["sni"], event["alpn"] = stream.sni, stream.alpn
                stream.log.events.write({"event": "handshake", **event})
            self.serve(stream)
            event["end"] = "closed"
        except (Closed, OSError, ValueError) as error:
            event["end"] = str(error)
        finally:
            stream.finish()
            connection.close()
            stream.log.events.write({"event": "ended", "bytes": stream.received, **event})

    def serve(self, stream):
        origin = self.origins[0]
        if self.kind == "https":
            origin = next(o for o in self.origins if self.logs[o.name] is stream.log)
        if self.kind == "banner":
            serve_banner(stream)
        elif stream.alpn == "h2":
            http2.serve(stream, origin, True)
        elif self.kind == "http":
            # A server that also speaks HTTP/2 without TLS, so that smuggling it would work.
            while len(stream.buffer) < len(PREFACE) and PREFACE.startswith(bytes(stream.buffer)) and stream.more():
                pass
            if stream.buffer.startswith(PREFACE):
                http2.serve(stream, origin, False, stream.take(len(stream.buffer)))
            else:
                http1.serve(stream, origin, False)
        else:
            http1.serve(stream, origin, True)


def serve_banner(stream):
    """Speaks first, then says every line back in capitals."""
    stream.send(b"220 banner.example ready\r\n")
    while True:
        line = stream.read_until(b"\n")
        if line is None:
            return
        stream.send(line.upper())
        if line.strip().lower() == b"quit":
            return


class Trap:
    """Takes what no origin does: that anything arrives at all is what the tests want to know."""

    def __init__(self, log):
        self.log = log

    def accept(self, listening):
        while True:
            connection, peer = listening.accept()
            threading.Thread(target=self.connection, args=(connection, peer), daemon=True).start()

    def connection(self, connection, peer):
        local = connection.getsockname()
        self.log.events.write({"event": "accepted", "to": local[0], "port": local[1], "from": peer[0]})
        connection.settimeout(30)
        try:
            with connection:
                data = connection.recv(1 << 16)
                self.log.bytes("plain", data)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\ntrap\n")
        except OSError:
            pass


def listen(address, port, backlog=1024):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    # With this a trap on all addresses and an origin on one of them can both listen; the closer match gets it.
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if family == socket.AF_INET6:
        listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    listening.bind((address, port))
    listening.listen(backlog)
    return listening


def start(pairs, files, directory):
    """Everything that listens in the internet."""
    threading.stack_size(512 << 10)
    logs = {origin.name: OriginLog(directory, origin.name) for origin in ORIGINS}
    contexts = {origin.name: context_for(origin, pairs[origin.name], files) for origin in ORIGINS}
    places = {}
    for origin in ORIGINS:
        for port, kind in origin.ports.items():
            for address in (origin.v4, origin.v6):
                if address:
                    places.setdefault((address, port), (kind, []))[1].append(origin)
    for (address, port), (kind, origins) in places.items():
        listener = Listener(kind, origins, logs, contexts)
        threading.Thread(target=listener.accept, args=(listen(address, port),), daemon=True).start()
    start_traps("trap", TRAP_PORTS, directory)


def start_traps(name, ports, directory):
    log = OriginLog(directory, name)
    for port in ports:
        for address in ("0.0.0.0", "::"):
            listening = listen(address, port)
            threading.Thread(target=Trap(log).accept, args=(listening,), daemon=True).start()


def start_host_traps(directory):
    """In the host's namespace: its loopback and own addresses."""
    start_traps("host-trap", HOST_TRAP_PORTS, directory)
