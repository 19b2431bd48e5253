"""HTTP/2 of the origins, on the h2 package."""

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings

from . import routes
from .streams import Closed


class Connection:
    def __init__(self, stream, origin, secure):
        self.stream, self.origin, self.secure = stream, origin, secure
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        self.requests, self.waiting = {}, {}

    def serve(self, first=b""):
        self.h2.initiate_connection()
        self.flush()
        data = first
        while True:
            if not data:
                if not self.stream.more():
                    return
                data = self.stream.take(len(self.stream.buffer))
            try:
                events = self.h2.receive_data(data)
            except h2.exceptions.ProtocolError as error:
                self.flush()
                raise Closed(f"HTTP/2: {error}") from None
            data = b""
            for event in events:
                self.handle(event)
            self.push()

    def handle(self, event):
        if isinstance(event, h2.events.RequestReceived):
            self.requests[event.stream_id] = (event.headers, [])
        elif isinstance(event, h2.events.DataReceived):
            self.requests[event.stream_id][1].append(event.data)
            self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            self.reply(event.stream_id)
        elif isinstance(event, h2.events.StreamReset):
            self.waiting.pop(event.stream_id, None)

    def reply(self, number):
        fields, body = self.requests.pop(number)
        pseudo = {name: value for name, value in fields if name.startswith(":")}
        headers = [(name, value) for name, value in fields if not name.startswith(":")]
        headers.insert(0, (":authority", pseudo.get(":authority", "")))
        request = routes.Request(pseudo[":method"], pseudo[":path"], headers, iter(body), self.origin, self.secure,
                                 "HTTP/2")
        first = request.path.strip("/").split("/")[0]
        if first == "hang":
            return
        if first == "reset":
            self.h2.reset_stream(number, error_code=8)
            return
        if first == "goaway":
            self.h2.close_connection(error_code=0)
            return
        status, fields, pieces = routes.answer(request)
        self.h2.send_headers(number, [(":status", str(status)), *fields], end_stream=request.method == "HEAD")
        if request.method != "HEAD":
            self.waiting[number] = [iter(pieces), b""]

    def push(self):
        """Sends what the windows allow."""
        for number in list(self.waiting):
            pieces, rest = self.waiting[number]
            while True:
                if not rest:
                    rest = next(pieces, None)
                    if rest is None:
                        self.h2.end_stream(number)
                        del self.waiting[number]
                        break
                room = min(self.h2.local_flow_control_window(number), self.h2.max_outbound_frame_size, len(rest))
                if room <= 0:
                    self.waiting[number] = [pieces, rest]
                    break
                self.h2.send_data(number, rest[:room])
                rest = rest[room:]
                self.flush()
        self.flush()

    def flush(self):
        data = self.h2.data_to_send()
        if data:
            self.stream.send(data)


def serve(stream, origin, secure, first=b""):
    Connection(stream, origin, secure).serve(first)
