"""Blocking streams that log every byte they receive: as it came, and after TLS."""

import socket
import ssl

from .logs import MOST_BYTES

PIECE = 1 << 16


class Closed(Exception):
    """The peer is gone, or said something that ends the connection."""


class Stream:
    """A plain connection."""

    def __init__(self, connection, log):
        self.connection, self.log, self.buffer, self.eof = connection, log, bytearray(), False
        self.logged, self.received = 0, 0
        self.alpn = None

    def note(self, kind, data):
        if self.logged < MOST_BYTES:
            self.log.bytes(kind, data)

    def wire(self):
        try:
            data = self.connection.recv(PIECE)
        except OSError as error:
            raise Closed(str(error)) from None
        self.note("wire", data)
        return data

    def more(self):
        """Reads once into the buffer; False at the end."""
        data = self.decrypted()
        if not data:
            self.eof = True
            return False
        self.received += len(data)
        self.note("plain", data)
        self.logged += len(data)
        self.buffer += data
        return True

    def decrypted(self):
        return self.wire()

    def send(self, data):
        try:
            self.connection.sendall(data)
        except OSError as error:
            raise Closed(str(error)) from None

    def finish(self):
        """No more from here; the other direction stays open."""
        try:
            self.connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def read_until(self, end, most=1 << 20):
        """Bytes up to and with `end`; None when the peer closed before the first byte."""
        while True:
            position = self.buffer.find(end)
            if position >= 0:
                return self.take(position + len(end))
            if len(self.buffer) > most:
                raise Closed("too long")
            if not self.more():
                if not self.buffer:
                    return None
                raise Closed("closed inside")

    def read_exactly(self, count):
        while len(self.buffer) < count:
            if not self.more():
                raise Closed("closed inside")
        return self.take(count)

    def take(self, count):
        data = bytes(self.buffer[:count])
        del self.buffer[:count]
        return data


class TLSStream(Stream):
    """The server's side of TLS. `choose(sni)` gives (log, SSLContext)."""

    def __init__(self, connection, log, choose):
        super().__init__(connection, log)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.sni, self.early = None, bytearray()
        self.chosen = False
        first_log, context = choose(None)

        def pick(session, name, _):
            self.sni = name
            self.log, session.context = choose(name)
            self.chosen = True

        context.sni_callback = pick
        self.session = context.wrap_bio(self.incoming, self.outgoing, server_side=True)
        self.log = first_log
        self.handshake()

    def wire(self):
        try:
            data = self.connection.recv(PIECE)
        except OSError as error:
            raise Closed(str(error)) from None
        if self.chosen:
            self.note("wire", data)
        else:
            self.early += data  # whose it is is known after the ClientHello
        return data

    def flush(self):
        data = self.outgoing.read()
        if data:
            super().send(data)

    def step(self, action):
        """Does `action`, feeding it records until it is done; None at the end of the stream."""
        while True:
            try:
                result = action()
                self.flush()
                return result
            except ssl.SSLWantReadError:
                self.flush()
                data = self.wire()
                if not data:
                    self.incoming.write_eof()
                    return None
                self.incoming.write(data)
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return None
            except ssl.SSLError as error:
                self.flush()
                raise Closed(f"TLS: {error.reason}") from None

    def handshake(self):
        try:
            done = self.step(lambda: self.session.do_handshake() or True)
        finally:
            self.chosen = True
            self.note("wire", bytes(self.early))
        if not done:
            raise Closed("closed in the handshake")
        self.alpn = self.session.selected_alpn_protocol()

    def decrypted(self):
        return self.step(lambda: self.session.read(PIECE)) or b""

    def send(self, data):
        view = memoryview(data)
        for start in range(0, len(view), 1 << 18):
            self.session.write(view[start:start + (1 << 18)])
            self.flush()

    def finish(self):
        try:
            self.session.unwrap()
        except (ssl.SSLError, OSError, ValueError):
            pass
        try:
            self.flush()
        except Closed:
            pass
        super().finish()
