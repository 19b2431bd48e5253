"""The authoritative server of everything, over UDP and TCP, with a log of every query.

Written against RFC 1035. It answers what names.py says; the names of BEHAVIOURS misbehave as they are called.
"""

import socket
import struct
import threading
import time

A, NS, CNAME, SOA, TXT, AAAA = 1, 2, 5, 6, 16, 28
TYPES = {1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 15: "MX", 16: "TXT", 28: "AAAA", 33: "SRV", 64: "SVCB",
         65: "HTTPS", 255: "ANY"}
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, REFUSED = 0, 1, 2, 3, 5

CNAMES = {
    "cname.example": "web.example", "cname-chain.example": "cname-2.example", "cname-2.example": "cname-3.example",
    "cname-3.example": "cname.example", "cname-loop.example": "cname-loop-2.example",
    "cname-loop-2.example": "cname-loop.example", "cname-private.example": "special-private-10.example",
}
REFUSALS = {"nx.example": NXDOMAIN, "servfail.example": SERVFAIL, "refused.example": REFUSED}
SLOW_SECONDS = 2.0


def encode_name(name):
    return b"".join(bytes([len(label)]) + label.encode("latin-1") for label in name.split(".") if label) + b"\0"


def parse_question(message):
    """(name in lower case, type, class, end of the question)."""
    position, labels = 12, []
    while True:
        length = message[position]
        position += 1
        if length == 0:
            break
        if length > 63:
            raise ValueError("a pointer in a question")
        labels.append(message[position:position + length].decode("latin-1").lower())
        position += length
    kind, klass = struct.unpack("!HH", message[position:position + 4])
    return ".".join(labels), kind, klass, position + 4


def record(name, kind, data, ttl=1):
    return encode_name(name) + struct.pack("!HHIH", kind, 1, ttl, len(data)) + data


def address_record(name, address, ttl=1):
    family, kind = (socket.AF_INET6, AAAA) if ":" in address else (socket.AF_INET, A)
    return record(name, kind, socket.inet_pton(family, address), ttl)


class Server:
    def __init__(self, table, log, address, port=53):
        self.table, self.log, self.address, self.port = table, log, address, port
        self.lock, self.counts = threading.Lock(), {}

    def start(self):
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind((self.address, self.port))
        tcp = socket.create_server((self.address, self.port), backlog=64)
        threading.Thread(target=self.serve_udp, args=(udp,), daemon=True).start()
        threading.Thread(target=self.serve_tcp, args=(tcp,), daemon=True).start()

    def serve_udp(self, udp):
        while True:
            query, peer = udp.recvfrom(4096)
            threading.Thread(target=self.one_datagram, args=(udp, query, peer), daemon=True).start()

    def one_datagram(self, udp, query, peer):
        for reply in self.replies(query, "udp"):
            udp.sendto(reply, peer)

    def serve_tcp(self, tcp):
        while True:
            connection, _ = tcp.accept()
            threading.Thread(target=self.one_stream, args=(connection,), daemon=True).start()

    def one_stream(self, connection):
        with connection, connection.makefile("rb") as reading:
            try:
                while True:
                    head = reading.read(2)
                    if len(head) < 2:
                        return
                    query = reading.read(struct.unpack("!H", head)[0])
                    for reply in self.replies(query, "tcp"):
                        connection.sendall(struct.pack("!H", len(reply)) + reply)
            except OSError:
                pass

    def replies(self, query, transport):
        try:
            name, kind, klass, end = parse_question(query)
        except (IndexError, ValueError, struct.error):
            self.log.write({"transport": transport, "malformed": query.hex()})
            return []
        self.log.write({"transport": transport, "name": name, "type": TYPES.get(kind, str(kind)), "class": klass,
                        "recursion": bool(query[2] & 1), "bytes": len(query), "id": struct.unpack("!H", query[:2])[0]})
        with self.lock:
            turn = self.counts[name, kind] = self.counts.get((name, kind), 0) + 1
        return self.behave(query, name, kind, end, transport, turn)

    def behave(self, query, name, kind, end, transport, turn):
        """The messages to send, usually one."""
        def reply(answers=(), code=NOERROR, flags=0x8180, number=query[:2], question=query[12:end]):
            return number + struct.pack("!HHHHH", flags | code, 1, len(answers), 0, 0) + question + b"".join(answers)

        label = name.partition(".")[0]
        if not name.endswith(".example"):
            return [reply(code=NXDOMAIN)]
        if name in REFUSALS:
            return [reply(code=REFUSALS[name])]
        if label == "silent":
            return []
        if label == "slow":
            time.sleep(SLOW_SECONDS)
            return [reply(self.addresses("web.example", kind, name))]
        if label == "empty":
            return [reply()]
        if label == "truncated" and transport == "udp":
            return [reply(flags=0x8380)]
        if label in ("truncated", "long-ttl"):
            return [reply(self.addresses("web.example", kind, name, ttl=86400 if label == "long-ttl" else 1))]
        if label == "wrong-id":
            return [reply(self.addresses("web.example", kind, name), number=bytes([query[0] ^ 1, query[1]]))]
        if label == "wrong-question":
            other = encode_name("denied.example") + query[end - 4:end]
            return [reply(self.addresses("web.example", kind, "denied.example"), question=other)]
        if label == "garbage":
            return [query[:2] + b"\x81\x80\xff\xff\xff\xff" + b"\xc0" * 40]
        if label == "compression-loop":
            return [reply([b"\xc0" + bytes([end]) + b"\0\1\0\1\0\0\0\1\0\4\x0b\x16\x21\x2c"])]
        if label == "half":
            whole = reply(self.addresses("web.example", kind, name))
            return [whole[:len(whole) - 2]]
        if label == "many":
            return [reply([address_record(name, f"11.22.40.{n}") for n in range(1, 26)] if kind == A else ())]
        if label == "rebind":
            address = "11.22.33.44" if turn == 1 else "10.1.2.3"
            return [reply([address_record(name, address, ttl=0)] if kind == A else ())]
        if name in CNAMES:
            return [reply(self.chain(name, kind))]
        if name in self.table:
            return [reply(self.addresses(name, kind, name))]
        return [reply(code=NXDOMAIN)]

    def addresses(self, of, kind, name, ttl=1):
        wanted = {A: lambda text: ":" not in text, AAAA: lambda text: ":" in text}.get(kind)
        return [address_record(name, text, ttl) for text in self.table[of] if wanted(text)] if wanted else []

    def chain(self, name, kind):
        answers, seen = [], set()
        while name in CNAMES and name not in seen:
            seen.add(name)
            answers.append(record(name, CNAME, encode_name(CNAMES[name])))
            name = CNAMES[name]
        return answers + (self.addresses(name, kind, name) if name in self.table else [])
